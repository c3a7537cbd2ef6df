// What the end-to-end tests are made of: a real server of bench.Echo, reached in each of the ways that there are, and
// waiting for things that happen on other threads.
#pragma once

#include <stdlib.h>
#include <unistd.h>

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
#include "weir/rpc/client/tls_credentials.h"
#include "weir/rpc/in_process/in_process.h"
#include "weir/rpc/server/server.h"
#include "weir/rpc/server/tls_credentials.h"
#include "weir/testing/status_matchers.h"
#include "weir/tests/support/test_certificates.h"

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

// How a channel reaches its server.
enum class Over { kTcp, kTls, kUnix, kInProcess };

// Issues what the TLS servers of these tests show; made once.
inline TestAuthority& TheAuthority() {
  static TestAuthority* const authority = new TestAuthority("Test CA");
  return *authority;
}

inline TlsServerOptions TlsOfServer() {
  const TestCertificate certificate = TheAuthority().Issue({.common_name = "echo server"});
  TlsServerOptions options;
  options.key_pair = {TlsPem::Memory(certificate.chain), TlsPem::Memory(certificate.key)};
  return options;
}

inline TlsChannelOptions TlsOfChannel() {
  TlsChannelOptions options;
  options.roots = TlsPem::Memory(TheAuthority().certificate());
  return options;
}

// A server that serves an EchoService.
class EchoServer {
 public:
  explicit EchoServer(Over over = Over::kTcp, ServerOptions options = Threads(2), int port = 0)
      : over_(over), server_(std::make_unique<Server>(options)) {
    server_->AddService(service);
    if (over == Over::kInProcess) return;
    target_ = over == Over::kUnix ? "unix:" + folder_.path() + "/socket" : "127.0.0.1:" + std::to_string(port);
    const absl::Status listening = server_->Listen(
        target_, over == Over::kTls ? TlsServerCredentials(TlsOfServer()) : InsecureServerCredentials());
    EXPECT_TRUE(listening.ok()) << listening;
    if (over != Over::kUnix) target_ = "127.0.0.1:" + std::to_string(server_->port());
  }

  static ServerOptions Threads(int loops) { return Threads(loops, 0); }
  static ServerOptions Threads(int loops, int workers) {
    ServerOptions options;
    options.loop_threads = loops;
    options.worker_threads = workers;
    return options;
  }

  Server& server() { return *server_; }
  int port() const { return server_->port(); }
  const std::string& target() const { return target_; }  // not in process
  Channel Connect(ChannelOptions options = {}) {
    if (over_ == Over::kInProcess) return Channel(InProcess(*server_), std::move(options));
    return Channel(target_, over_ == Over::kTls ? TlsChannelCredentials(TlsOfChannel()) : InsecureChannelCredentials(),
                   std::move(options));
  }
  std::unique_ptr<Channel> MakeChannel(ChannelOptions options = {}) {
    return std::unique_ptr<Channel>(new Channel(Connect(std::move(options))));
  }
  void Destroy() { server_.reset(); }

  EchoService service;

 private:
  // A folder of its own; gone with its last file, the socket.
  class Folder {
   public:
    Folder() { EXPECT_NE(mkdtemp(path_), nullptr); }
    ~Folder() { rmdir(path_); }
    std::string path() const { return path_; }

   private:
    char path_[sizeof("/tmp/weir-XXXXXX")] = "/tmp/weir-XXXXXX";  // short: a socket's name has at most 107 bytes
  };

  const Over over_;
  const Folder folder_;
  std::unique_ptr<Server> server_;
  std::string target_;
};

// Tests that have to pass whatever is between a channel and its server.
class OverTest : public ::testing::TestWithParam<Over> {
 public:
  static std::string Name(const ::testing::TestParamInfo<Over>& info) {
    const char* const names[] = {"Tcp", "Tls", "Unix", "InProcess"};
    return names[static_cast<int>(info.param)];
  }
};

#define WEIR_OVER_EACH(suite)                                                                                     \
  INSTANTIATE_TEST_SUITE_P(Over, suite, ::testing::Values(Over::kTcp, Over::kTls, Over::kUnix, Over::kInProcess), \
                           suite::Name)

}  // namespace weir::testing
