// grpc++'s callback API as server of bench.Echo, to compare with. Serves what the benchmarks call: all but
// ClientStream.
//
//   grpcpp_callback_server --port=0     prints "listening on 127.0.0.1:PORT"; SIGTERM ends it
//
// Its threads are grpc++'s own; there is no option for their number.
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "tests/benchmark/bench.grpc.pb.h"
#include "tests/benchmark/peers/grpcpp_server_main.h"

ABSL_FLAG(int, port, 0, "TCP port on 127.0.0.1; 0: the system chooses");
ABSL_FLAG(bool, buffer_hint, false, "let messages of a stream wait for the next one (WriteOptions::set_buffer_hint)");

namespace bench {
namespace {

class StreamReactor final : public grpc::ServerWriteReactor<Payload> {
 public:
  explicit StreamReactor(const StreamRequest& request)
      : buffer_hint_(absl::GetFlag(FLAGS_buffer_hint)), left_(request.count()) {
    payload_.set_body(std::string(request.size(), 'x'));
    // By itself: grpc++ 1.51 now and then never sends it with a first message that may wait.
    StartSendInitialMetadata();
  }

  void OnSendInitialMetadataDone(bool ok) override { OnWriteDone(ok); }

  void OnWriteDone(bool ok) override {
    if (ok) {
      WriteNext();
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (left_ == 0) return Finish(grpc::Status::OK);
    --left_;
    StartWrite(&payload_, StreamWriteOptions(buffer_hint_, left_));
  }

  const bool buffer_hint_;
  Payload payload_;
  uint32_t left_;
};

class BidiReactor final : public grpc::ServerBidiReactor<Payload, Payload> {
 public:
  BidiReactor() { StartRead(&payload_); }

  void OnReadDone(bool ok) override {
    if (ok) {
      StartWrite(&payload_);
    } else {
      Finish(grpc::Status::OK);
    }
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      StartRead(&payload_);
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  Payload payload_;
};

class EchoImpl final : public Echo::CallbackService {
 public:
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, const Payload* request,
                                  Payload* reply) override {
    *reply = *request;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerWriteReactor<Payload>* ServerStream(grpc::CallbackServerContext*, const StreamRequest* request) override {
    return new StreamReactor(*request);
  }
  grpc::ServerBidiReactor<Payload, Payload>* BidiEcho(grpc::CallbackServerContext*) override {
    return new BidiReactor();
  }
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  bench::BlockEndSignals();
  bench::EchoImpl echo;
  grpc::ServerBuilder builder;
  builder.RegisterService(&echo);
  const std::unique_ptr<grpc::Server> server = bench::StartServer(builder, absl::GetFlag(FLAGS_port));
  if (server == nullptr) return 1;
  bench::WaitForEndSignal();
  server->Shutdown(std::chrono::system_clock::now());
  server->Wait();
  return 0;
}
