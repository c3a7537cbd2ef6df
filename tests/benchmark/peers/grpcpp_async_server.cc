// grpc++'s completion queues as server of bench.Echo, to compare with. Serves what the benchmarks call: all but
// ClientStream.
//
//   grpcpp_async_server --port=0 --threads=1     prints "listening on 127.0.0.1:PORT"; SIGTERM ends it
//
// One queue per thread, and enough accepting calls of every method on each that a burst finds one ready.
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "tests/benchmark/bench.grpc.pb.h"
#include "tests/benchmark/peers/grpcpp_server_main.h"

ABSL_FLAG(int, port, 0, "TCP port on 127.0.0.1; 0: the system chooses");
ABSL_FLAG(int, threads, 1, "completion queues, each with a thread");
ABSL_FLAG(bool, buffer_hint, false, "let messages of a stream wait for the next one (WriteOptions::set_buffer_hint)");

namespace bench {
namespace {

constexpr int kAcceptingCalls = 100;  // per method and queue

using Service = Echo::AsyncService;

// A call is the tag of its only operation under way.
class Call {
 public:
  virtual ~Call() = default;
  virtual void Proceed(bool ok) = 0;
};

class UnaryCall final : public Call {
 public:
  UnaryCall(Service& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue), responder_(&context_) {
    service_.RequestUnary(&context_, &payload_, &responder_, &queue_, &queue_, this);
  }

  void Proceed(bool ok) override {
    if (!ok || finishing_) {
      delete this;
      return;
    }
    new UnaryCall(service_, queue_);
    finishing_ = true;
    responder_.Finish(payload_, grpc::Status::OK, this);
  }

 private:
  Service& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ServerAsyncResponseWriter<Payload> responder_;
  Payload payload_;
  bool finishing_ = false;
};

class StreamCall final : public Call {
 public:
  StreamCall(Service& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue), writer_(&context_) {
    service_.RequestServerStream(&context_, &request_, &writer_, &queue_, &queue_, this);
  }

  void Proceed(bool ok) override {
    if (!ok || state_ == State::kFinishing) {
      delete this;
      return;
    }
    if (state_ == State::kAccepting) {
      new StreamCall(service_, queue_);
      left_ = request_.count();
      payload_.set_body(std::string(request_.size(), 'x'));
      state_ = State::kWriting;
      // By itself: grpc++ 1.51 now and then never sends it with a first message that may wait.
      writer_.SendInitialMetadata(this);
      return;
    }
    if (left_ == 0) {
      state_ = State::kFinishing;
      writer_.Finish(grpc::Status::OK, this);
      return;
    }
    --left_;
    writer_.Write(payload_, StreamWriteOptions(buffer_hint_, left_), this);
  }

 private:
  enum class State { kAccepting, kWriting, kFinishing };

  Service& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ServerAsyncWriter<Payload> writer_;
  StreamRequest request_;
  Payload payload_;
  const bool buffer_hint_ = absl::GetFlag(FLAGS_buffer_hint);
  uint32_t left_ = 0;
  State state_ = State::kAccepting;
};

class BidiCall final : public Call {
 public:
  BidiCall(Service& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue), stream_(&context_) {
    service_.RequestBidiEcho(&context_, &stream_, &queue_, &queue_, this);
  }

  void Proceed(bool ok) override {
    if (state_ == State::kFinishing || (!ok && state_ != State::kReading)) {
      delete this;
      return;
    }
    switch (state_) {
      case State::kAccepting:
        new BidiCall(service_, queue_);
        Read();
        break;
      case State::kReading:
        if (ok) {
          state_ = State::kWriting;
          stream_.Write(payload_, this);
        } else {
          state_ = State::kFinishing;
          stream_.Finish(grpc::Status::OK, this);
        }
        break;
      default:
        Read();
        break;
    }
  }

 private:
  enum class State { kAccepting, kReading, kWriting, kFinishing };

  void Read() {
    state_ = State::kReading;
    stream_.Read(&payload_, this);
  }

  Service& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<Payload, Payload> stream_;
  Payload payload_;
  State state_ = State::kAccepting;
};

// Until the queue is shut down.
void Serve(Service& service, grpc::ServerCompletionQueue& queue) {
  for (int i = 0; i < kAcceptingCalls; ++i) {
    new UnaryCall(service, queue);
    new StreamCall(service, queue);
    new BidiCall(service, queue);
  }
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) static_cast<Call*>(tag)->Proceed(ok);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  bench::BlockEndSignals();
  bench::Echo::AsyncService service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
  for (int i = 0; i < absl::GetFlag(FLAGS_threads); ++i) queues.push_back(builder.AddCompletionQueue());
  const std::unique_ptr<grpc::Server> server = bench::StartServer(builder, absl::GetFlag(FLAGS_port));
  if (server == nullptr) return 1;
  std::vector<std::thread> threads;
  for (auto& queue : queues) threads.emplace_back([&service, &queue] { bench::Serve(service, *queue); });
  bench::WaitForEndSignal();
  // At a benchmark's end no call is worth waiting for, and queues that are shut down while calls begin new operations
  // assert. So the process ends as it is.
  std::_Exit(0);
}
