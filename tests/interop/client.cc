// weir's interop client: the cases with weir's generated clients, from a plain thread.
//
//   client --server_host=127.0.0.1 --server_port=PORT --test_case=NAME     "all" and "features" are groups
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/testing/test.weir.pb.h"
#include "tests/interop/cases/client_main.h"
#include "tests/interop/cases/features.weir.pb.h"
#include "tests/interop/cases/orca_service.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/rpc/client/tls_credentials.h"

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

Pairs ToPairs(const Metadata& metadata) { return Pairs(metadata.begin(), metadata.end()); }

template <class Call>
void FillMetadata(Call& call, Ending& ending) {
  ending.initial = ToPairs(call.InitialMetadata().Wait());
  ending.trailing = ToPairs(call.trailing_metadata());
}

template <class Reply>
class WeirPendingCall final : public PendingCall<Reply> {
 public:
  explicit WeirPendingCall(UnaryCall<Reply> call) : call_(std::move(call)) {}

  Outcome<Reply> Wait() override {
    Outcome<Reply> outcome;
    absl::StatusOr<Reply> reply = call_.Wait();
    outcome.status = reply.status();
    if (reply.ok()) outcome.reply = *std::move(reply);
    outcome.compressed = call_.last_message_compressed();
    FillMetadata(call_, outcome);
    return outcome;
  }

 private:
  UnaryCall<Reply> call_;
};

template <class Reply>
Outcome<Reply> Wait(UnaryCall<Reply> call) {
  return WeirPendingCall<Reply>(std::move(call)).Wait();
}

template <class Request, class Reply>
class WeirBidi final : public Stream<Request, Reply> {
 public:
  explicit WeirBidi(BidiCall<Request, Reply> call) : call_(std::move(call)) {}

  bool Write(const Request& request) override { return call_.Write(request).Wait(); }
  bool WriteUncompressed(const Request& request) override {
    return call_.Write(request, WriteOptions().Uncompressed()).Wait();
  }
  void WritesDone() override { call_.WritesDone(); }
  std::optional<Reply> Read() override { return call_.Read().Wait(); }
  bool LastReadWasCompressed() override { return call_.last_message_compressed(); }
  void Cancel() override { call_.Cancel(); }
  Ending Finish() override {
    Ending ending;
    ending.status = call_.Finish().Wait();
    FillMetadata(call_, ending);
    return ending;
  }

 private:
  BidiCall<Request, Reply> call_;
};

template <class Request, class Reply>
class WeirDownload final : public Stream<Request, Reply> {
 public:
  explicit WeirDownload(ServerStreamCall<Reply> call) : call_(std::move(call)) {}

  bool Write(const Request&) override { return false; }
  bool WriteUncompressed(const Request&) override { return false; }
  void WritesDone() override {}
  std::optional<Reply> Read() override { return call_.Read().Wait(); }
  bool LastReadWasCompressed() override { return call_.last_message_compressed(); }
  void Cancel() override { call_.Cancel(); }
  Ending Finish() override {
    Ending ending;
    ending.status = call_.Finish().Wait();
    FillMetadata(call_, ending);
    return ending;
  }

 private:
  ServerStreamCall<Reply> call_;
};

// Client streaming: Finish gives reply and status together; whichever of Read and Finish comes first keeps both.
template <class Request, class Reply>
class WeirUpload final : public Stream<Request, Reply> {
 public:
  explicit WeirUpload(ClientStreamCall<Request, Reply> call) : call_(std::move(call)) {}

  bool Write(const Request& request) override { return call_.Write(request).Wait(); }
  bool WriteUncompressed(const Request& request) override {
    return call_.Write(request, WriteOptions().Uncompressed()).Wait();
  }
  void WritesDone() override {}  // Finish half-closes
  std::optional<Reply> Read() override {
    if (result_.has_value()) return std::nullopt;
    result_ = call_.Finish().Wait();
    return result_->ok() ? std::optional<Reply>(**result_) : std::nullopt;
  }
  bool LastReadWasCompressed() override { return call_.last_message_compressed(); }
  void Cancel() override { call_.Cancel(); }
  Ending Finish() override {
    Read();
    Ending ending;
    ending.status = result_->status();
    FillMetadata(call_, ending);
    return ending;
  }

 private:
  ClientStreamCall<Request, Reply> call_;
  std::optional<absl::StatusOr<Reply>> result_;
};

class WeirClient final : public TestClient {
 public:
  explicit WeirClient(const ClientTarget& target)
      : additional_(target.additional_metadata),
        channel_(absl::StrCat(target.host, ":", target.port), CredentialsOf(target), OptionsOf(target)) {}

  Outcome<Empty> EmptyCall(const CallSetup& setup) override { return Wait(test_.EmptyCall(Empty(), With(setup))); }
  std::unique_ptr<PendingCall<SimpleResponse>> StartUnaryCall(const SimpleRequest& request,
                                                              const CallSetup& setup) override {
    return std::make_unique<WeirPendingCall<SimpleResponse>>(test_.UnaryCall(request, With(setup)));
  }
  Outcome<SimpleResponse> CacheableUnaryCall(const SimpleRequest& request, const CallSetup& setup) override {
    return Wait(test_.CacheableUnaryCall(request, With(setup)));
  }
  Outcome<Empty> UnimplementedMethod() override { return Wait(test_.UnimplementedCall(Empty(), With(CallSetup()))); }
  Outcome<Empty> UnimplementedService() override {
    return Wait(unimplemented_.UnimplementedCall(Empty(), With(CallSetup())));
  }
  std::unique_ptr<InputStream> StreamingInputCall(const CallSetup& setup) override {
    return std::make_unique<WeirUpload<StreamingInputCallRequest, StreamingInputCallResponse>>(
        test_.StreamingInputCall(With(setup)));
  }
  std::unique_ptr<OutputStream> StreamingOutputCall(const StreamingOutputCallRequest& request,
                                                    const CallSetup& setup) override {
    return std::make_unique<WeirDownload<StreamingOutputCallRequest, StreamingOutputCallResponse>>(
        test_.StreamingOutputCall(request, With(setup)));
  }
  std::unique_ptr<OutputStream> FullDuplexCall(const CallSetup& setup) override {
    return std::make_unique<WeirBidi<StreamingOutputCallRequest, StreamingOutputCallResponse>>(
        test_.FullDuplexCall(With(setup)));
  }
  std::unique_ptr<OutputStream> HalfDuplexCall(const CallSetup& setup) override {
    return std::make_unique<WeirBidi<StreamingOutputCallRequest, StreamingOutputCallResponse>>(
        test_.HalfDuplexCall(With(setup)));
  }

  std::unique_ptr<LoadStream> StreamCoreMetrics(const OrcaLoadReportRequest& request, const CallSetup& setup) override {
    return std::make_unique<WeirDownload<OrcaLoadReportRequest, OrcaLoadReport>>(
        orca_.StreamCoreMetrics(request, With(setup)));
  }

  Outcome<InspectReply> Inspect(const InspectRequest& request, const CallSetup& setup) override {
    return Wait(features_.Inspect(request, With(setup)));
  }
  std::unique_ptr<HoldStream> Hold(const CallSetup& setup) override {
    return std::make_unique<WeirBidi<Note, Note>>(features_.Hold(With(setup)));
  }
  std::unique_ptr<FloodStream> Flood(const FloodRequest& request, const CallSetup& setup) override {
    return std::make_unique<WeirDownload<FloodRequest, Blob>>(features_.Flood(request, With(setup)));
  }
  Outcome<Observation> Observe(const ObserveRequest& request) override {
    return Wait(features_.Observe(request, With(CallSetup())));
  }
  Outcome<DrainReply> Drain() override { return Wait(features_.Drain(DrainRequest(), With(CallSetup()))); }

 private:
  static ChannelCredentials CredentialsOf(const ClientTarget& target) {
    if (!target.use_tls) return InsecureChannelCredentials();
    TlsChannelOptions tls;
    if (!target.tls_ca_file.empty()) tls.roots = TlsPem::File(target.tls_ca_file);
    return TlsChannelCredentials(tls);
  }
  static ChannelOptions OptionsOf(const ClientTarget& target) {
    ChannelOptions options;
    options.authority = target.authority;
    if (!target.service_config_json.empty()) options.service_config = ParseServiceConfig(target.service_config_json);
    return options;
  }

  CallOptions With(const CallSetup& setup) const {
    CallOptions options;
    if (setup.timeout != absl::InfiniteDuration()) options.Timeout(setup.timeout);
    if (setup.gzip) options.Compression("gzip");
    for (const auto& [key, value] : additional_) options.Metadata(key, value);
    for (const auto& [key, value] : setup.metadata) options.Metadata(key, value);
    return options;
  }

  const Pairs additional_;
  Channel channel_;
  grpc::testing::TestServiceClient test_{channel_};
  grpc::testing::UnimplementedServiceClient unimplemented_{channel_};
  xds::service::orca::v3::OpenRcaServiceClient orca_{channel_};
  FeaturesClient features_{channel_};
};

}  // namespace
}  // namespace weir::interop

int main(int argc, char** argv) {
  return weir::interop::RunInteropClient(argc, argv, "weir", [](const weir::interop::ClientTarget& target) {
    return std::make_unique<weir::interop::WeirClient>(target);
  });
}
