// grpc++'s callback API as load client: the arguments and the output of weir's load_client.
//
//   grpcpp_callback_client HOST PORT CONCURRENCY SECONDS
#include <grpcpp/grpcpp.h>

#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/benchmark/bench.grpc.pb.h"
#include "tests/benchmark/load_report.h"

namespace bench {
namespace {

using Clock = LoadReport::Clock;

// grpc++ may run callbacks on several threads.
class SharedReport {
 public:
  void AddCall(Clock::duration latency) {
    const std::lock_guard lock(mutex_);
    report_.AddCall(latency);
  }
  void AddFailure(std::string error) {
    const std::lock_guard lock(mutex_);
    report_.AddFailure(std::move(error));
  }
  int Print(Clock::duration elapsed) {
    const std::lock_guard lock(mutex_);
    return report_.Print(elapsed);
  }

 private:
  std::mutex mutex_;
  LoadReport report_;
};

// One call after the other until `end`.
class Caller {
 public:
  Caller(Echo::Stub& stub, SharedReport& report, std::latch& running, Clock::time_point end)
      : stub_(stub), report_(report), running_(running), end_(end) {
    request_.set_body(std::string(16, 'x'));
  }

  void Begin() {
    begin_ = Clock::now();
    if (begin_ >= end_) return running_.count_down();
    context_.emplace();
    stub_.async()->Unary(&*context_, &request_, &reply_, [this](const grpc::Status& status) { OnReply(status); });
  }

 private:
  void OnReply(const grpc::Status& status) {
    if (!status.ok() || reply_.body().size() != 16) {
      report_.AddFailure(status.error_message());
      return running_.count_down();
    }
    report_.AddCall(Clock::now() - begin_);
    Begin();
  }

  Echo::Stub& stub_;
  SharedReport& report_;
  std::latch& running_;
  const Clock::time_point end_;
  Clock::time_point begin_;
  Payload request_;
  Payload reply_;
  std::optional<grpc::ClientContext> context_;
};

int Run(const LoadArguments& arguments) {
  const std::unique_ptr<Echo::Stub> stub =
      Echo::NewStub(grpc::CreateChannel(arguments.target, grpc::InsecureChannelCredentials()));
  SharedReport report;
  std::latch running(arguments.concurrency);
  const Clock::time_point begin = Clock::now();
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < arguments.concurrency; ++i) {
    callers.push_back(std::make_unique<Caller>(*stub, report, running, begin + arguments.duration));
    callers.back()->Begin();
  }
  running.wait();
  return report.Print(Clock::now() - begin);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::LoadArguments arguments;
  return bench::ParseLoadArguments(argc, argv, arguments) ? bench::Run(arguments) : 2;
}
