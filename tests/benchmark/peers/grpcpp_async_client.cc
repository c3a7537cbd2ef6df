// grpc++'s completion queue as load client: the arguments and the output of weir's load_client. One thread.
//
//   grpcpp_async_client HOST PORT CONCURRENCY SECONDS
#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/benchmark/bench.grpc.pb.h"
#include "tests/benchmark/load_report.h"

namespace bench {
namespace {

using Clock = LoadReport::Clock;

// One call at a time; the tag of its end.
class Caller {
 public:
  Caller(Echo::Stub& stub, grpc::CompletionQueue& queue) : stub_(stub), queue_(queue) {
    request_.set_body(std::string(16, 'x'));
  }

  void Begin(Clock::time_point now) {
    begin_ = now;
    context_.emplace();
    reader_ = stub_.AsyncUnary(&*context_, request_, &queue_);
    reader_->Finish(&reply_, &status_, this);
  }

  // False if the call has failed.
  bool AddTo(LoadReport& report, Clock::time_point now) {
    if (status_.ok() && reply_.body().size() == 16) {
      report.AddCall(now - begin_);
      return true;
    }
    report.AddFailure(status_.error_message());
    return false;
  }

 private:
  Echo::Stub& stub_;
  grpc::CompletionQueue& queue_;
  Clock::time_point begin_;
  Payload request_;
  Payload reply_;
  grpc::Status status_;
  std::optional<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Payload>> reader_;
};

int Run(const LoadArguments& arguments) {
  const std::unique_ptr<Echo::Stub> stub =
      Echo::NewStub(grpc::CreateChannel(arguments.target, grpc::InsecureChannelCredentials()));
  grpc::CompletionQueue queue;
  LoadReport report;
  const Clock::time_point begin = Clock::now();
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < arguments.concurrency; ++i) {
    callers.push_back(std::make_unique<Caller>(*stub, queue));
    callers.back()->Begin(begin);
  }
  int running = arguments.concurrency;
  void* tag = nullptr;
  bool ok = false;
  while (running > 0 && queue.Next(&tag, &ok)) {
    Caller& caller = *static_cast<Caller*>(tag);
    const Clock::time_point now = Clock::now();
    if (caller.AddTo(report, now) && now < begin + arguments.duration) {
      caller.Begin(now);
    } else {
      --running;
    }
  }
  return report.Print(Clock::now() - begin);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::LoadArguments arguments;
  return bench::ParseLoadArguments(argc, argv, arguments) ? bench::Run(arguments) : 2;
}
