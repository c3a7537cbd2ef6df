// The echo server: transport/ alone. --port=N (0: any), --address=HOST; prints where it listens. SIGTERM and SIGINT
// drain.
#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include "weir/examples/h2_echo/echo_server.h"
#include "weir/transport/io/epoll_loop.h"

namespace {

using namespace weir;  // NOLINT: an example

// Signals are taken by a thread of their own, which posts to the loop: nothing runs inside a signal handler.
std::thread DrainOnSignal(const sigset_t& signals, transport::EpollLoop& loop, examples::EchoServer& server) {
  return std::thread([signals, &loop, &server] {
    int signal = 0;
    ::sigwait(&signals, &signal);
    loop.Post([&loop, &server] { server.Drain([&loop] { loop.Stop(); }); });
    ::sigwait(&signals, &signal);  // the second one does not wait for open streams; main sends it too, at its end
    loop.Stop();
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::string host = "127.0.0.1";
  std::string port = "8080";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--port=")) {
      port = argument.substr(7);
    } else if (argument.starts_with("--address=")) {
      host = argument.substr(10);
    } else {
      std::cerr << "usage: server [--port=8080] [--address=127.0.0.1]\n";
      return 2;
    }
  }
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const auto address = transport::SocketAddress::Parse(host + ":" + port);
  if (!address.ok()) {
    std::cerr << address.status() << "\n";
    return 2;
  }
  transport::EpollLoop loop;
  examples::EchoServer server(loop);
  if (const absl::Status listening = server.Listen(*address); !listening.ok()) {
    std::cerr << listening << "\n";
    return 1;
  }
  std::cout << "listening on " << server.address().ToString() << std::endl;
  std::thread signal_thread = DrainOnSignal(signals, loop, server);
  loop.Run();
  ::pthread_kill(signal_thread.native_handle(), SIGTERM);
  signal_thread.join();
  return 0;
}
