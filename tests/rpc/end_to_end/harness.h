// What the end-to-end tests are made of: a real server of bench.Echo on a port of the system's choice, and waiting for
// things that happen on other threads.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/benchmark/bench.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"
#include "weir/testing/status_matchers.h"

namespace weir::testing {

// A number that other threads change. Waiting for it ends the test program after a minute: nothing here takes so long.
class Counter {
 public:
  void Add(int n = 1) {
    std::lock_guard lock(mutex_);
    value_ += n;
    changed_.notify_all();
  }
  void WaitFor(int value) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::seconds(60), [&] { return value_ >= value; })) return;
    ADD_FAILURE() << "waited for " << value << ", still at " << value_;
    std::abort();
  }
  int value() {
    std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int value_ = 0;
};

inline bench::Payload Body(std::string_view body) {
  bench::Payload payload;
  payload.set_body(std::string(body));
  return payload;
}

// Echoes; what else it does, the payload says.
//   "block"  waits, on its thread, until `release` has been raised (for servers with workers)
//   "wait"   waits in a coroutine until its call is cancelled
class EchoService final : public bench::EchoService {
 public:
  Task<absl::StatusOr<bench::Payload>> Unary(ServerContext& context, const bench::Payload& request) override {
    started.Add();
    if (request.body() == "block") release.WaitFor(1);
    if (request.body() == "fail") co_return absl::NotFoundError("no such thing");
    co_return request;
  }
  Task<absl::Status> ServerStream(ServerContext& context, const bench::StreamRequest& request,
                                  Writer<bench::Payload>& writer) override {
    started.Add();
    const bench::Payload payload = Body(std::string(request.size(), 'x'));
    for (uint32_t i = 0; i < request.count(); ++i) {
      if (!co_await writer.Write(payload)) break;
    }
    if (context.IsCancelled()) cancelled.Add();
    co_return absl::OkStatus();
  }
  Task<absl::StatusOr<bench::Summary>> ClientStream(ServerContext& context, Reader<bench::Payload>& reader) override {
    started.Add();
    bench::Summary summary;
    while (std::optional<bench::Payload> payload = co_await reader.Read()) {
      summary.set_count(summary.count() + 1);
      summary.set_bytes(summary.bytes() + payload->body().size());
    }
    if (context.IsCancelled()) cancelled.Add();
    co_return summary;
  }
  Task<absl::Status> BidiEcho(ServerContext& context, Reader<bench::Payload>& reader,
                              Writer<bench::Payload>& writer) override {
    started.Add();
    while (std::optional<bench::Payload> payload = co_await reader.Read()) {
      if (!co_await writer.Write(*payload)) break;
    }
    if (context.IsCancelled()) cancelled.Add();
    co_return absl::OkStatus();
  }

  Counter started;
  Counter cancelled;  // handlers that saw their call cancelled
  Counter release;
};

// A server that serves an EchoService.
class EchoServer {
 public:
  explicit EchoServer(ServerOptions options = Threads(2), int port = 0) : server_(std::make_unique<Server>(options)) {
    server_->AddService(service);
    const absl::Status listening = server_->Listen("127.0.0.1:" + std::to_string(port), InsecureServerCredentials());
    EXPECT_TRUE(listening.ok()) << listening;
    port_ = server_->port();
  }

  static ServerOptions Threads(int loops) { return Threads(loops, 0); }
  static ServerOptions Threads(int loops, int workers) {
    ServerOptions options;
    options.loop_threads = loops;
    options.worker_threads = workers;
    return options;
  }

  Server& server() { return *server_; }
  int port() const { return port_; }
  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }
  void Destroy() { server_.reset(); }

  EchoService service;

 private:
  std::unique_ptr<Server> server_;
  int port_ = 0;
};

}  // namespace weir::testing
