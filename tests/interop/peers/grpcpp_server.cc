// grpc++'s interop server: TestService and Features on the synchronous API.
//
//   grpcpp_server --port=0     prints "listening on 127.0.0.1:PORT"; SIGTERM or Features.Drain ends it with 0
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/testing/test.grpc.pb.h"
#include "tests/interop/cases/call_journal.h"
#include "tests/interop/cases/features.grpc.pb.h"
#include "tests/interop/cases/load_report.h"
#include "tests/interop/cases/orca_service.grpc.pb.h"
#include "tests/interop/peers/grpcpp_compression.h"

ABSL_FLAG(int, port, 0, "0: any free one, see the first line of output");
ABSL_FLAG(bool, use_tls, false, "whether connections use TLS");
ABSL_FLAG(std::string, tls_cert_file, "", "PEM file with the server's certificate and its chain");
ABSL_FLAG(std::string, tls_key_file, "", "PEM file with its private key");

namespace weir::interop {
namespace {

using grpc::ServerContext;
using grpc::Status;
using grpc::testing::Empty;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingInputCallRequest;
using grpc::testing::StreamingInputCallResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;

void EchoMetadata(ServerContext* context) {
  for (const auto& [key, value] : context->client_metadata()) {
    const std::string name(key.data(), key.size());
    const std::string text(value.data(), value.size());
    if (name == "x-grpc-test-echo-initial") context->AddInitialMetadata(name, text);
    if (name == "x-grpc-test-echo-trailing-bin") context->AddTrailingMetadata(name, text);
  }
}

template <class Request>
Status StatusOf(const Request& request) {
  return Status(static_cast<grpc::StatusCode>(request.response_status().code()), request.response_status().message());
}

using xds::data::orca::v3::OrcaLoadReport;
using xds::service::orca::v3::OpenRcaService;
using xds::service::orca::v3::OrcaLoadReportRequest;

// What the client says of its message must be so.
template <class Request>
Status CheckCompressed(ServerContext* context, const Request& request) {
  if (!request.has_expect_compressed()) return Status::OK;
  if (request.expect_compressed().value() == LastMessageWasCompressed(context->c_call())) return Status::OK;
  return Status(grpc::StatusCode::INVALID_ARGUMENT, "the message is not compressed as its sender says");
}

using OutputWriter = grpc::internal::WriterInterface<StreamingOutputCallResponse>;

bool WriteResponses(const StreamingOutputCallRequest& request, OutputWriter* writer, LoadReport& load) {
  if (request.has_orca_oob_report()) load.Set(request.orca_oob_report());
  for (const auto& parameters : request.response_parameters()) {
    absl::SleepFor(absl::Microseconds(parameters.interval_us()));
    StreamingOutputCallResponse response;
    response.mutable_payload()->set_body(std::string(static_cast<size_t>(parameters.size()), '\0'));
    grpc::WriteOptions options;
    if (!parameters.compressed().value()) options.set_no_compression();
    if (!writer->Write(response, options)) return false;
  }
  return true;
}

class TestServiceImpl final : public grpc::testing::TestService::Service {
 public:
  // `load` belongs to the caller; requests may set it.
  explicit TestServiceImpl(LoadReport& load) : load_(load) {}

  Status EmptyCall(ServerContext* context, const Empty*, Empty*) override {
    EchoMetadata(context);
    return Status::OK;
  }

  Status UnaryCall(ServerContext* context, const SimpleRequest* request, SimpleResponse* response) override {
    EchoMetadata(context);
    if (const Status compressed = CheckCompressed(context, *request); !compressed.ok()) return compressed;
    if (request->response_compressed().value()) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    if (request->has_orca_per_query_report()) {
      const OrcaLoadReport report = ToLoadReport(request->orca_per_query_report());
      context->AddTrailingMetadata(kLoadTrailer, report.SerializeAsString());
    }
    if (request->has_response_status() && request->response_status().code() != 0) return StatusOf(*request);
    response->mutable_payload()->set_body(std::string(static_cast<size_t>(request->response_size()), '\0'));
    if (request->fill_server_id()) response->set_server_id(absl::StrCat("grpc++-", getpid()));
    return Status::OK;
  }

  Status CacheableUnaryCall(ServerContext* context, const SimpleRequest*, SimpleResponse* response) override {
    context->AddInitialMetadata("cache-control", "max-age=60, public");
    response->mutable_payload()->set_body(absl::StrCat(absl::GetCurrentTimeNanos()));
    return Status::OK;
  }

  Status StreamingInputCall(ServerContext* context, grpc::ServerReader<StreamingInputCallRequest>* reader,
                            StreamingInputCallResponse* response) override {
    StreamingInputCallRequest request;
    size_t total_bytes = 0;
    while (reader->Read(&request)) {
      if (const Status compressed = CheckCompressed(context, request); !compressed.ok()) return compressed;
      total_bytes += request.payload().body().size();
    }
    response->set_aggregated_payload_size(static_cast<int>(total_bytes));
    return Status::OK;
  }

  Status StreamingOutputCall(ServerContext* context, const StreamingOutputCallRequest* request,
                             grpc::ServerWriter<StreamingOutputCallResponse>* writer) override {
    EchoMetadata(context);
    const auto& all = request->response_parameters();
    if (std::any_of(all.begin(), all.end(), [](const auto& each) { return each.compressed().value(); })) {
      context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    }
    WriteResponses(*request, writer, load_);
    return request->has_response_status() ? StatusOf(*request) : Status::OK;
  }

  Status FullDuplexCall(
      ServerContext* context,
      grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>* stream) override {
    EchoMetadata(context);
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) {
      if (request.response_status().code() != 0) return StatusOf(request);
      if (!WriteResponses(request, stream, load_)) break;
    }
    return Status::OK;
  }

  Status HalfDuplexCall(
      ServerContext* context,
      grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>* stream) override {
    EchoMetadata(context);
    std::vector<StreamingOutputCallRequest> requests;
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) requests.push_back(request);
    for (const StreamingOutputCallRequest& each : requests) {
      if (!WriteResponses(each, stream, load_)) break;
    }
    return Status::OK;
  }

 private:
  LoadReport& load_;
};

class OrcaServiceImpl final : public OpenRcaService::Service {
 public:
  explicit OrcaServiceImpl(const LoadReport& load) : load_(load) {}

  Status StreamCoreMetrics(ServerContext*, const OrcaLoadReportRequest* request,
                           grpc::ServerWriter<OrcaLoadReport>* writer) override {
    while (writer->Write(load_.Get())) absl::SleepFor(ReportInterval(*request));
    return Status::CANCELLED;
  }

 private:
  const LoadReport& load_;
};

class FeaturesImpl final : public Features::Service {
 public:
  Status Inspect(ServerContext* context, const InspectRequest* request, InspectReply* reply) override {
    for (const Pair& pair : request->initial()) context->AddInitialMetadata(pair.key(), pair.value());
    for (const Pair& pair : request->trailing()) context->AddTrailingMetadata(pair.key(), pair.value());
    if (request->code() != 0) return Status(static_cast<grpc::StatusCode>(request->code()), request->message());
    for (const auto& [key, value] : context->client_metadata()) {
      if (!key.starts_with("x-")) continue;
      Pair* pair = reply->add_metadata();
      pair->set_key(std::string(key.data(), key.size()));
      pair->set_value(std::string(value.data(), value.size()));
    }
    reply->set_remaining_ms(RemainingMs(*context));
    return Status::OK;
  }

  Status Hold(ServerContext* context, grpc::ServerReaderWriter<Note, Note>* stream) override {
    Note note;
    if (!stream->Read(&note)) return Status::OK;
    const std::string call_id = note.call_id();
    journal_.Begin(call_id);
    bool last = false;
    do {
      last = note.last();
      if (!stream->Write(note)) break;
      journal_.Sent(call_id);
    } while (stream->Read(&note));
    journal_.End(call_id, !last && SawCancellation(*context) ? HandlerEnd::kCancelled : HandlerEnd::kInOrder);
    return Status::OK;
  }

  Status Flood(ServerContext* context, const FloodRequest* request, grpc::ServerWriter<Blob>* writer) override {
    journal_.Begin(request->call_id());
    Blob blob;
    blob.set_body(std::string(static_cast<size_t>(request->size_bytes()), '\0'));
    bool alive = true;
    for (int i = 0; alive && i < request->count(); ++i) {
      alive = writer->Write(blob);
      if (alive) journal_.Sent(request->call_id());
    }
    journal_.End(request->call_id(),
                 !alive && SawCancellation(*context) ? HandlerEnd::kCancelled : HandlerEnd::kInOrder);
    return Status::OK;
  }

  Status Observe(ServerContext*, const ObserveRequest* request, Observation* observation) override {
    *observation = journal_.Observe(request->call_id());
    return Status::OK;
  }

  Status Drain(ServerContext*, const DrainRequest*, DrainReply*) override {
    kill(getpid(), SIGTERM);
    return Status::OK;
  }

 private:
  static int64_t RemainingMs(const ServerContext& context) {
    if (context.deadline() == std::chrono::system_clock::time_point::max()) return -1;
    return absl::ToInt64Milliseconds(absl::FromChrono(context.deadline()) - absl::Now());
  }

  // The synchronous API learns of a cancellation a moment after its reads fail.
  static bool SawCancellation(const ServerContext& context) {
    const absl::Time give_up = absl::Now() + absl::Seconds(2);
    while (!context.IsCancelled() && absl::Now() < give_up) absl::SleepFor(absl::Milliseconds(1));
    return context.IsCancelled();
  }

  CallJournal journal_;
};

// Blocks SIGTERM and SIGINT in this and all later threads, so that sigwait gets them.
sigset_t BlockStopSignals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  return stop;
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::shared_ptr<grpc::ServerCredentials> Credentials() {
  if (!absl::GetFlag(FLAGS_use_tls)) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back(
      {ReadFile(absl::GetFlag(FLAGS_tls_key_file)), ReadFile(absl::GetFlag(FLAGS_tls_cert_file))});
  return grpc::SslServerCredentials(options);
}

int Run() {
  const sigset_t stop = BlockStopSignals();

  LoadReport load;
  TestServiceImpl test_service(load);
  OrcaServiceImpl orca(load);
  FeaturesImpl features;
  int port = absl::GetFlag(FLAGS_port);
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), Credentials(), &port);
  builder.RegisterService(&test_service);
  builder.RegisterService(&orca);
  builder.RegisterService(&features);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "cannot listen on port %d\n", absl::GetFlag(FLAGS_port));
    return 1;
  }
  std::printf("listening on 127.0.0.1:%d\n", port);
  std::fflush(stdout);

  int signal_number = 0;
  sigwait(&stop, &signal_number);
  constexpr std::chrono::seconds kGrace(15);
  server->Shutdown(std::chrono::system_clock::now() + kGrace);
  server->Wait();
  return 0;
}

}  // namespace
}  // namespace weir::interop

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return weir::interop::Run();
}
