// victim --honest=HOST:PORT: a client process that is told to call hostile servers, and calls an honest one all the
// time.
//
// Both channels share one loop, so that whatever a hostile server costs is taken from the honest calls. A line on
// standard input is a hostile server, and what to ask of it:
//
//   PORT shape=unary calls=1 timeout_ms=5000 connect_timeout_ms=... header_block_timeout_ms=... write_timeout_ms=...
//
// and is answered by one line for each call, and one for the honest calls meanwhile:
//
//   call UNAVAILABLE 3 connection to ...          code, messages read, text
//   honest 512 1734 -                             calls, the worst in microseconds, the first failure
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "grpc/testing/test.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/transport/io/loop_pool.h"

ABSL_FLAG(std::string, honest, "", "HOST:PORT of a server with grpc.testing.TestService");

namespace {

using grpc::testing::TestServiceClient;

constexpr int kUploadMessages = 64;
constexpr size_t kUploadBytes = 64 * 1024;
constexpr absl::Duration kHonestTimeout = absl::Seconds(20);
constexpr std::chrono::milliseconds kHonestPause{2};
constexpr int64_t kHonestCallsMin = 3;  // beside each hostile server

// One call after the other, each one timed.
class HonestCalls {
 public:
  HonestCalls(const std::string& target, const weir::ChannelOptions& options)
      : channel_(target, weir::InsecureChannelCredentials(), options), thread_([this] { Run(); }) {}
  ~HonestCalls() {
    stop_ = true;
    thread_.join();
  }

  void Begin() {
    worst_us_ = 0;
    calls_ = 0;
  }
  std::string Report() {
    while (calls_ < kHonestCallsMin && !failed_) std::this_thread::sleep_for(kHonestPause);
    return absl::StrCat("honest ", calls_.load(), " ", worst_us_.load(), " ", failed_ ? failure_ : "-");
  }

 private:
  void Run() {
    TestServiceClient client(channel_);
    const weir::CallOptions options = weir::CallOptions().Timeout(kHonestTimeout);
    while (!stop_ && !failed_) {
      const auto start = std::chrono::steady_clock::now();
      const absl::Status status = client.EmptyCall(grpc::testing::Empty(), options).Wait().status();
      const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
      worst_us_ = std::max(worst_us_.load(), took.count());
      ++calls_;
      if (!status.ok()) {
        failure_ = absl::CEscape(status.ToString());
        failed_ = true;
      }
      std::this_thread::sleep_for(kHonestPause);
    }
  }

  weir::Channel channel_;
  std::atomic<int64_t> calls_ = 0;
  std::atomic<int64_t> worst_us_ = 0;
  std::string failure_;  // written before failed_
  std::atomic<bool> failed_ = false;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// What a line asks for.
class Order {
 public:
  explicit Order(const std::string& line) {
    for (absl::string_view word : absl::StrSplit(line, ' ', absl::SkipWhitespace())) {
      const std::pair<std::string, std::string> pair = absl::StrSplit(word, absl::MaxSplits('=', 1));
      words_.insert(pair);
      if (port_.empty()) port_ = pair.first;
    }
  }

  std::string target() const { return absl::StrCat("127.0.0.1:", port_); }
  std::string shape() const { return words_.contains("shape") ? words_.at("shape") : "unary"; }
  int Number(const std::string& name, int otherwise) const {
    int number = otherwise;
    if (words_.contains(name) && !absl::SimpleAtoi(words_.at(name), &number)) std::abort();
    return number;
  }
  void Set(const std::string& name, absl::Duration& option) const {
    if (words_.contains(name)) option = absl::Milliseconds(Number(name, 0));
  }

 private:
  std::string port_;
  std::map<std::string, std::string> words_;
};

std::string Line(const absl::Status& status, int messages) {
  return absl::StrCat("call ", absl::StatusCodeToString(status.code()), " ", messages, " ",
                      absl::CEscape(status.message()));
}

using Upload =
    weir::ClientStreamCall<grpc::testing::StreamingInputCallRequest, grpc::testing::StreamingInputCallResponse>;

std::string Finish(Upload call) {
  grpc::testing::StreamingInputCallRequest request;
  request.mutable_payload()->set_body(std::string(kUploadBytes, 'x'));
  for (int i = 0; i < kUploadMessages; ++i) {
    if (!call.Write(request).Wait()) break;
  }
  return Line(call.Finish().Wait().status(), 0);
}

std::string Finish(weir::ServerStreamCall<grpc::testing::StreamingOutputCallResponse> call) {
  int messages = 0;
  while (call.Read().Wait().has_value()) ++messages;
  return Line(call.Finish().Wait(), messages);
}

std::string Finish(weir::UnaryCall<grpc::testing::SimpleResponse> call) {
  const absl::StatusOr<grpc::testing::SimpleResponse> reply = call.Wait();
  return Line(reply.status(), reply.ok() ? 1 : 0);
}

// All started at once, and then waited for.
template <class Start>
void Make(int calls, const Start& start) {
  std::vector<decltype(start())> under_way;
  for (int i = 0; i < calls; ++i) under_way.push_back(start());
  for (auto& call : under_way) std::cout << Finish(std::move(call)) << "\n";
}

void Call(const Order& order, weir::ChannelOptions options) {
  order.Set("connect_timeout_ms", options.connect_timeout);
  order.Set("header_block_timeout_ms", options.connection.header_block_timeout);
  order.Set("settings_ack_timeout_ms", options.connection.settings_ack_timeout);
  order.Set("write_timeout_ms", options.connection.write_timeout);
  weir::Channel channel(order.target(), weir::InsecureChannelCredentials(), options);
  TestServiceClient client(channel);
  weir::CallOptions call;
  call.Timeout(absl::Milliseconds(order.Number("timeout_ms", 20'000)));
  call.WaitForReady(order.Number("wait_for_ready", 0) != 0);
  const int calls = order.Number("calls", 1);
  if (order.shape() == "upload") return Make(calls, [&] { return client.StreamingInputCall(call); });
  if (order.shape() == "download") {
    return Make(calls, [&] { return client.StreamingOutputCall(grpc::testing::StreamingOutputCallRequest(), call); });
  }
  Make(calls, [&] { return client.UnaryCall(grpc::testing::SimpleRequest(), call); });
}

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  auto loops = weir::transport::LoopPool::Start(1, "victim");
  if (!loops.ok()) {
    std::cerr << loops.status() << "\n";
    return 1;
  }
  weir::ChannelOptions options;
  options.loop = &(*loops)->loop(0);
  HonestCalls honest(absl::GetFlag(FLAGS_honest), options);
  honest.Report();  // the connection is there
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    honest.Begin();
    Call(Order(line), options);
    std::cout << honest.Report() << std::endl;
  }
  return 0;
}
