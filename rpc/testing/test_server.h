// TestServer: a server for a test, in one line.
//
//   FakeGreeter greeter;
//   weir::testing::TestServer server(greeter);
//   GreeterClient client(server.channel());
#pragma once

#include <concepts>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/in_process/in_process.h"
#include "weir/rpc/server/server.h"

namespace weir::testing {

// Serves until it is destroyed, which waits for handlers. In process, on one thread, unless told otherwise.
class TestServer {
 public:
  // `services` outlive the server.
  template <std::derived_from<Service>... Services>
  explicit TestServer(Services&... services) : TestServer(OneLoop(), services...) {}
  template <std::derived_from<Service>... Services>
  explicit TestServer(const ServerOptions& options, Services&... services) : server_(options) {
    (server_.AddService(services), ...);
  }

  // A channel to the server, which needs no socket.
  Channel& channel() {
    if (!channel_.has_value()) channel_.emplace(InProcess(server_));
    return *channel_;
  }

  // For what makes its own channel: a target. Listens on a port of the loopback interface that the system chooses.
  const std::string& target() {
    if (target_.empty()) {
      const absl::Status listening = server_.Listen("127.0.0.1:0", InsecureServerCredentials());
      EXPECT_TRUE(listening.ok()) << listening;
      target_ = "127.0.0.1:" + std::to_string(server_.port());
    }
    return target_;
  }

  Server& server() { return server_; }

 private:
  static ServerOptions OneLoop() {
    ServerOptions options;
    options.loop_threads = 1;
    return options;
  }

  Server server_;
  std::optional<Channel> channel_;
  std::string target_;
};

}  // namespace weir::testing
