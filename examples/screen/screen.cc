#include "examples/screen/screen.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>

namespace screen {
namespace {

int shown_frames = -1;  // the child's: what the parent has shown, line by line

[[noreturn]] void Die(const char* what) {
  perror(what);
  exit(1);
}

// One line, without its end, of a stream; false at the stream's end.
bool ReadLine(FILE* from, std::string* line) {
  line->clear();
  for (int c = fgetc(from); c != EOF; c = fgetc(from)) {
    if (c == '\n') return true;
    line->push_back(static_cast<char>(c));
  }
  return !line->empty();
}

// The parent: prints until the program has ended, then ends in the same way.
[[noreturn]] void Print(FILE* program, int to_program, pid_t pid) {
  std::string line;
  std::string shown;
  while (ReadLine(program, &line)) {
    if (!Shorten(line, &shown)) continue;
    printf("%s\n", shown.c_str());
    fflush(stdout);
    if (shown == line) continue;
    // Not blocking: a program that does not ask must not stop the screen.
    shown += "\n";
    if (write(to_program, shown.data(), shown.size()) < 0) continue;
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) fprintf(stderr, "the program was ended by signal %d\n", WTERMSIG(status));
  exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

}  // namespace

void Begin() {
  setenv("WEIR_TRACE", "frames", 1);
  int lines[2];
  int frames[2];
  if (pipe2(lines, O_CLOEXEC) != 0 || pipe2(frames, O_CLOEXEC | O_NONBLOCK) != 0) Die("pipe2");
  const pid_t pid = fork();
  if (pid < 0) Die("fork");
  if (pid != 0) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);  // the program's affair
    close(lines[1]);
    close(frames[0]);
    Print(fdopen(lines[0], "r"), frames[1], pid);
  }
  if (dup2(lines[1], STDOUT_FILENO) < 0 || dup2(lines[1], STDERR_FILENO) < 0) Die("dup2");
  close(lines[0]);
  close(lines[1]);
  close(frames[1]);
  shown_frames = frames[0];
}

void Say(std::string_view line) {
  // One write, so that lines of several threads do not mix.
  const std::string text = std::string(line) + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) Die("write");
}

void WaitForFrame(std::initializer_list<std::string_view> texts) {
  constexpr int kPatienceMs = 10000;
  static std::string received;
  while (true) {
    for (size_t end = received.find('\n'); end != received.npos; end = received.find('\n')) {
      const std::string line = received.substr(0, end);
      received.erase(0, end + 1);
      for (std::string_view text : texts) {
        if (line.find(text) != line.npos) return;
      }
    }
    pollfd readable = {shown_frames, POLLIN, 0};
    char buffer[4096];
    const ssize_t bytes = poll(&readable, 1, kPatienceMs) == 1 ? read(shown_frames, buffer, sizeof(buffer)) : 0;
    if (bytes <= 0) {
      Say("expected a frame with " + std::string(*texts.begin()) + ", got none");
      exit(1);
    }
    received.append(buffer, static_cast<size_t>(bytes));
  }
}

}  // namespace screen
