// Daemon: somebody else's server as a process of a test: etcd, nginx, haproxy.
//
//   Daemon nginx(folder, {"/usr/sbin/nginx", "-p", folder, "-c", "nginx.conf"}, "start worker processes");
//
// It runs in a folder and talks over sockets there, so that there are no ports to be chosen. Its output is shown if the
// test fails.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weir::testing {

// A folder that goes with all that is in it. Its name is short: that of a socket in it has at most 107 bytes.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  void Write(const std::string& name, std::string_view content) const;

 private:
  std::string path_;
};

class Daemon {
 public:
  // Starts `command`, whose first word is a path, in `folder`, and waits until it says `ready`. If that does not come
  // within 30 s, or the process ends, the test program ends with what was said until then.
  Daemon(const std::string& folder, const std::vector<std::string>& command, std::string_view ready);
  // SIGTERM; SIGKILL if it does not end within 10 s.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Sends a signal, and waits until it says `answer`, for the same time. Again each second: haproxy loses a signal that
  // comes in its first moments.
  void Signal(int number, std::string_view answer);

 private:
  bool WaitUntilItSays(std::string_view text, std::chrono::milliseconds limit);
  void ReadOutput();
  void Send(int signal) const;
  [[noreturn]] void GiveUp(std::string_view expected);

  const std::string name_;
  pid_t process_ = -1;
  int output_ = -1;
  std::thread reader_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string said_;
  bool ended_ = false;  // it says no more
};

}  // namespace weir::testing
