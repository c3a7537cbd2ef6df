#include "weir/tests/interop/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "gtest/gtest.h"

namespace weir::testing {
namespace {

constexpr std::chrono::milliseconds kPatience(30'000);
constexpr int kEndTimeMs = 10'000;

[[noreturn]] void Die(const std::string& text) {
  fprintf(stderr, "%s\n", text.c_str());
  abort();
}

// In the child: nothing but system calls, because other threads may have held locks when it was made.
[[noreturn]] void Become(const char* folder, char* const* command, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes takes it along
  if (::chdir(folder) == 0 && ::dup2(output, STDOUT_FILENO) >= 0 && ::dup2(output, STDERR_FILENO) >= 0) {
    ::execv(command[0], command);
  }
  ::_exit(127);
}

// By a descriptor, which can be waited for with a limit.
bool HasEnded(pid_t process, int limit_ms) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  pollfd ended{.fd = fd, .events = POLLIN, .revents = 0};
  const bool has_ended = fd < 0 || ::poll(&ended, 1, limit_ms) == 1;
  if (fd >= 0) ::close(fd);
  return has_ended;
}

}  // namespace

Folder::Folder() : path_("/tmp/weir-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) Die("cannot make a folder in /tmp");
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Folder::Write(const std::string& name, std::string_view content) const {
  std::ofstream(path_ + "/" + name) << content;
}

Daemon::Daemon(const std::string& folder, const std::vector<std::string>& command, std::string_view ready)
    : name_(command[0]) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) Die("no pipe");
  process_ = ::fork();
  if (process_ == 0) Become(folder.c_str(), words.data(), ends[1]);
  ::close(ends[1]);
  output_ = ends[0];
  reader_ = std::thread([this] { ReadOutput(); });
  if (!WaitUntilItSays(ready, kPatience)) GiveUp(ready);
}

Daemon::~Daemon() {
  Send(SIGTERM);
  if (!HasEnded(process_, kEndTimeMs)) Send(SIGKILL);
  ::waitpid(process_, nullptr, 0);
  reader_.join();
  ::close(output_);
  if (::testing::Test::HasFailure()) fprintf(stderr, "What the daemon said:\n%s\n", said_.c_str());
}

void Daemon::Signal(int number, std::string_view answer) {
  constexpr std::chrono::milliseconds kRepeat(1000);
  for (auto left = kPatience; left.count() > 0; left -= kRepeat) {
    Send(number);
    if (WaitUntilItSays(answer, kRepeat)) return;
  }
  GiveUp(answer);
}

void Daemon::Send(int signal) const { ::kill(process_, signal); }

bool Daemon::WaitUntilItSays(std::string_view text, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  const auto has_said = [&] { return said_.find(text) != std::string::npos; };
  changed_.wait_for(lock, limit, [&] { return ended_ || has_said(); });
  return has_said();
}

void Daemon::GiveUp(std::string_view expected) {
  Send(SIGKILL);
  std::lock_guard lock(mutex_);
  Die(name_ + ": expected it to say \"" + std::string(expected) + "\", got: " + said_ +
      "\nIs it installed? ./dev test does that");
}

void Daemon::ReadOutput() {
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(output_, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    std::lock_guard lock(mutex_);
    if (count > 0) said_.append(buffer, static_cast<size_t>(count));
    ended_ = count <= 0;
    changed_.notify_all();
    if (ended_) return;
  }
}

}  // namespace weir::testing
