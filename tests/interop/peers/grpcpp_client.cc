// The interop cases with grpc++: the yardstick for weir's client, and the peer of weir's server.
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/testing/test.grpc.pb.h"
#include "tests/interop/cases/client_main.h"
#include "tests/interop/cases/features.grpc.pb.h"
#include "tests/interop/cases/orca_service.grpc.pb.h"
#include "tests/interop/peers/grpcpp_compression.h"

namespace weir::interop {
namespace {

using grpc::testing::Empty;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingInputCallRequest;
using grpc::testing::StreamingInputCallResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;
using xds::data::orca::v3::OrcaLoadReport;
using xds::service::orca::v3::OrcaLoadReportRequest;

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

Pairs ToPairs(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  Pairs pairs;
  for (const auto& [key, value] : metadata) {
    pairs.emplace_back(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
  return pairs;
}

void Prepare(grpc::ClientContext& context, const Pairs& additional, const CallSetup& setup) {
  for (const auto& [key, value] : additional) context.AddMetadata(key, value);
  for (const auto& [key, value] : setup.metadata) context.AddMetadata(key, value);
  if (setup.gzip) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  if (setup.timeout != absl::InfiniteDuration()) {
    context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMicroseconds(setup.timeout));
  }
}

template <class Result>
void FillEnding(Result& result, const grpc::Status& status, const grpc::ClientContext& context) {
  result.status = ToAbsl(status);
  result.initial = ToPairs(context.GetServerInitialMetadata());
  result.trailing = ToPairs(context.GetServerTrailingMetadata());
}

// A unary call of the callback API, waited for.
class GrpcppPendingCall final : public PendingCall<SimpleResponse> {
 public:
  GrpcppPendingCall(grpc::testing::TestService::Stub& stub, SimpleRequest request, const Pairs& additional,
                    const CallSetup& setup)
      : request_(std::move(request)) {
    Prepare(context_, additional, setup);
    stub.async()->UnaryCall(&context_, &request_, &outcome_.reply, [this](grpc::Status status) {
      const std::lock_guard lock(mutex_);
      status_ = std::move(status);
      done_ = true;
      changed_.notify_all();
    });
  }
  ~GrpcppPendingCall() override {
    context_.TryCancel();
    AwaitDone();
  }

  Outcome<SimpleResponse> Wait() override {
    AwaitDone();
    FillEnding(outcome_, status_, context_);
    outcome_.compressed = LastMessageWasCompressed(context_.c_call());
    return std::move(outcome_);
  }

 private:
  void AwaitDone() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }

  grpc::ClientContext context_;
  const SimpleRequest request_;
  Outcome<SimpleResponse> outcome_;
  std::mutex mutex_;
  std::condition_variable changed_;
  grpc::Status status_;
  bool done_ = false;
};

// What the three kinds of streams have in common; Rpc is grpc's reader, writer or both.
template <class Rpc, class Request, class Reply>
class GrpcppStream : public Stream<Request, Reply> {
 public:
  ~GrpcppStream() override {
    if (rpc_ == nullptr || finished_) return;
    context_.TryCancel();
    rpc_->Finish();
  }

  bool Write(const Request& request) override {
    if constexpr (requires { rpc_->Write(request); }) {
      return rpc_->Write(request);
    } else {
      return false;
    }
  }
  bool WriteUncompressed(const Request& request) override {
    if constexpr (requires { rpc_->Write(request); }) {
      return rpc_->Write(request, grpc::WriteOptions().set_no_compression());
    } else {
      return false;
    }
  }
  bool LastReadWasCompressed() override { return LastMessageWasCompressed(context_.c_call()); }
  void WritesDone() override {
    if constexpr (requires { rpc_->WritesDone(); }) rpc_->WritesDone();
  }
  std::optional<Reply> Read() override {
    Reply reply;
    if constexpr (requires { rpc_->Read(&reply); }) {
      if (rpc_->Read(&reply)) return reply;
    }
    return std::nullopt;
  }
  void Cancel() override { context_.TryCancel(); }
  Ending Finish() override {
    if (!std::exchange(finished_, true)) FillEnding(ending_, rpc_->Finish(), context_);
    return ending_;
  }

  // Starts the call: `start` is the stub's method, given the context.
  template <class Start>
  void Open(const Pairs& additional, const CallSetup& setup, Start start) {
    Prepare(context_, additional, setup);
    rpc_ = start(&context_);
  }

 protected:
  grpc::ClientContext context_;
  std::unique_ptr<Rpc> rpc_;
  Ending ending_;
  bool finished_ = false;
};

template <class Request, class Reply>
using GrpcppBidi = GrpcppStream<grpc::ClientReaderWriter<Request, Reply>, Request, Reply>;
template <class Request, class Reply>
using GrpcppDownload = GrpcppStream<grpc::ClientReader<Reply>, Request, Reply>;

// Client streaming: the reply is there when the call has finished.
class GrpcppUpload final : public GrpcppStream<grpc::ClientWriter<StreamingInputCallRequest>, StreamingInputCallRequest,
                                               StreamingInputCallResponse> {
 public:
  std::optional<StreamingInputCallResponse> Read() override {
    if (finished_ || !Finish().status.ok()) return std::nullopt;
    return reply_;
  }
  StreamingInputCallResponse* reply() { return &reply_; }

 private:
  StreamingInputCallResponse reply_;
};

// Empty if there is no such file.
std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class GrpcppClient final : public TestClient {
 public:
  explicit GrpcppClient(const ClientTarget& target) : additional_(target.additional_metadata) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a new client is a new connection
    if (!target.service_config_json.empty()) arguments.SetServiceConfigJSON(target.service_config_json);
    if (!target.authority.empty()) arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, target.authority);
    if (target.use_tls && !target.authority.empty()) arguments.SetSslTargetNameOverride(target.authority);
    const auto channel =
        grpc::CreateCustomChannel(absl::StrCat(target.host, ":", target.port), CredentialsOf(target), arguments);
    test_ = grpc::testing::TestService::NewStub(channel);
    unimplemented_ = grpc::testing::UnimplementedService::NewStub(channel);
    orca_ = xds::service::orca::v3::OpenRcaService::NewStub(channel);
    features_ = Features::NewStub(channel);
  }

  static std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const ClientTarget& target) {
    if (!target.use_tls) return grpc::InsecureChannelCredentials();
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ReadFile(target.tls_ca_file);
    return grpc::SslCredentials(options);
  }

  Outcome<Empty> EmptyCall(const CallSetup& setup) override {
    return Unary<Empty>(*test_, &grpc::testing::TestService::Stub::EmptyCall, Empty(), setup);
  }
  std::unique_ptr<PendingCall<SimpleResponse>> StartUnaryCall(const SimpleRequest& request,
                                                              const CallSetup& setup) override {
    return std::make_unique<GrpcppPendingCall>(*test_, request, additional_, setup);
  }
  Outcome<SimpleResponse> CacheableUnaryCall(const SimpleRequest& request, const CallSetup& setup) override {
    return Unary<SimpleResponse>(*test_, &grpc::testing::TestService::Stub::CacheableUnaryCall, request, setup);
  }
  Outcome<Empty> UnimplementedMethod() override {
    return Unary<Empty>(*test_, &grpc::testing::TestService::Stub::UnimplementedCall, Empty(), CallSetup());
  }
  Outcome<Empty> UnimplementedService() override {
    return Unary<Empty>(*unimplemented_, &grpc::testing::UnimplementedService::Stub::UnimplementedCall, Empty(),
                        CallSetup());
  }
  std::unique_ptr<InputStream> StreamingInputCall(const CallSetup& setup) override {
    auto stream = std::make_unique<GrpcppUpload>();
    stream->Open(additional_, setup,
                 [&](auto* context) { return test_->StreamingInputCall(context, stream->reply()); });
    return stream;
  }
  std::unique_ptr<OutputStream> StreamingOutputCall(const StreamingOutputCallRequest& request,
                                                    const CallSetup& setup) override {
    auto stream = std::make_unique<GrpcppDownload<StreamingOutputCallRequest, StreamingOutputCallResponse>>();
    stream->Open(additional_, setup, [&](auto* context) { return test_->StreamingOutputCall(context, request); });
    return stream;
  }
  std::unique_ptr<OutputStream> FullDuplexCall(const CallSetup& setup) override {
    auto stream = std::make_unique<GrpcppBidi<StreamingOutputCallRequest, StreamingOutputCallResponse>>();
    stream->Open(additional_, setup, [&](auto* context) { return test_->FullDuplexCall(context); });
    return stream;
  }
  std::unique_ptr<OutputStream> HalfDuplexCall(const CallSetup& setup) override {
    auto stream = std::make_unique<GrpcppBidi<StreamingOutputCallRequest, StreamingOutputCallResponse>>();
    stream->Open(additional_, setup, [&](auto* context) { return test_->HalfDuplexCall(context); });
    return stream;
  }

  std::unique_ptr<LoadStream> StreamCoreMetrics(const OrcaLoadReportRequest& request, const CallSetup& setup) override {
    auto stream = std::make_unique<GrpcppDownload<OrcaLoadReportRequest, OrcaLoadReport>>();
    stream->Open(additional_, setup, [&](auto* context) { return orca_->StreamCoreMetrics(context, request); });
    return stream;
  }

  Outcome<InspectReply> Inspect(const InspectRequest& request, const CallSetup& setup) override {
    return Unary<InspectReply>(*features_, &Features::Stub::Inspect, request, setup);
  }
  std::unique_ptr<HoldStream> Hold(const CallSetup& setup) override {
    auto stream = std::make_unique<GrpcppBidi<Note, Note>>();
    stream->Open(additional_, setup, [&](auto* context) { return features_->Hold(context); });
    return stream;
  }
  std::unique_ptr<FloodStream> Flood(const FloodRequest& request, const CallSetup& setup) override {
    auto stream = std::make_unique<GrpcppDownload<FloodRequest, Blob>>();
    stream->Open(additional_, setup, [&](auto* context) { return features_->Flood(context, request); });
    return stream;
  }
  Outcome<Observation> Observe(const ObserveRequest& request) override {
    return Unary<Observation>(*features_, &Features::Stub::Observe, request, CallSetup());
  }
  Outcome<DrainReply> Drain() override {
    return Unary<DrainReply>(*features_, &Features::Stub::Drain, DrainRequest(), CallSetup());
  }

 private:
  template <class Reply, class Stub, class Request>
  Outcome<Reply> Unary(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                       const Request& request, const CallSetup& setup) {
    grpc::ClientContext context;
    Prepare(context, additional_, setup);
    Outcome<Reply> outcome;
    const grpc::Status status = (stub.*method)(&context, request, &outcome.reply);
    FillEnding(outcome, status, context);
    return outcome;
  }

  const Pairs additional_;
  std::unique_ptr<grpc::testing::TestService::Stub> test_;
  std::unique_ptr<grpc::testing::UnimplementedService::Stub> unimplemented_;
  std::unique_ptr<xds::service::orca::v3::OpenRcaService::Stub> orca_;
  std::unique_ptr<Features::Stub> features_;
};

}  // namespace
}  // namespace weir::interop

int main(int argc, char** argv) {
  const int exit_code = weir::interop::RunInteropClient(
      argc, argv, "grpc++",
      [](const weir::interop::ClientTarget& target) { return std::make_unique<weir::interop::GrpcppClient>(target); });
  // grpc++ 1.51 waits 10 s in its exit handler for a connection attempt to a server that is gone.
  std::fflush(nullptr);
  std::_Exit(exit_code);
}
