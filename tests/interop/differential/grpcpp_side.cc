// grpc++'s client and server of the scripted calls: the yardstick.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/interop/differential/script.grpc.pb.h"
#include "tests/interop/differential/side.h"

namespace weir::differential {
namespace {

Pairs ToPairs(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  Pairs pairs;
  for (const auto& [key, value] : metadata) {
    pairs.emplace_back(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
  return pairs;
}

Piece MakePiece(int bytes, size_t place) {
  Piece piece;
  piece.set_body(Content(bytes, place));
  return piece;
}

// ---- the server

Script ScriptOf(grpc::ServerContext* context) {
  Script script;
  const auto found = context->client_metadata().find(grpc::string_ref(kScriptKey.data(), kScriptKey.size()));
  if (found != context->client_metadata().end()) {
    script.ParseFromArray(found->second.data(), static_cast<int>(found->second.size()));
  }
  for (const Pair& pair : script.initial()) context->AddInitialMetadata(pair.key(), pair.value());
  if (script.gzip()) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
  return script;
}

void HoldIfAsked(const Script& script, grpc::ServerContext* context) {
  while (script.hold() && !context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

grpc::Status EndOf(const Script& script, grpc::ServerContext* context, const std::vector<std::string>& requests) {
  for (const Pair& pair : script.trailing()) context->AddTrailingMetadata(pair.key(), pair.value());
  context->AddTrailingMetadata(std::string(kSeenKey), Seen(ToPairs(context->client_metadata()), requests));
  return grpc::Status(static_cast<grpc::StatusCode>(script.code()), script.message());
}

template <class Reader>
std::vector<std::string> ReadAsked(const Script& script, Reader* reader) {
  std::vector<std::string> requests;
  Piece piece;
  for (int left = script.reads(); left != 0 && reader->Read(&piece); --left) requests.push_back(piece.body());
  return requests;
}

template <class Writer>
void WriteAsked(const Script& script, Writer* writer) {
  for (int i = 0; i < script.reply_sizes_size(); ++i) {
    if (!writer->Write(MakePiece(script.reply_sizes(i), static_cast<size_t>(i)))) return;
  }
}

class GrpcppService final : public Scripted::Service {
  grpc::Status Unary(grpc::ServerContext* context, const Piece* request, Piece* reply) override {
    const Script script = ScriptOf(context);
    HoldIfAsked(script, context);
    if (script.reply_sizes_size() > 0) *reply = MakePiece(script.reply_sizes(0), 0);
    return EndOf(script, context, {request->body()});
  }

  grpc::Status Upload(grpc::ServerContext* context, grpc::ServerReader<Piece>* reader, Piece* reply) override {
    const Script script = ScriptOf(context);
    const std::vector<std::string> requests = ReadAsked(script, reader);
    HoldIfAsked(script, context);
    if (script.reply_sizes_size() > 0) *reply = MakePiece(script.reply_sizes(0), 0);
    return EndOf(script, context, requests);
  }

  grpc::Status Download(grpc::ServerContext* context, const Piece* request,
                        grpc::ServerWriter<Piece>* writer) override {
    const Script script = ScriptOf(context);
    WriteAsked(script, writer);
    HoldIfAsked(script, context);
    return EndOf(script, context, {request->body()});
  }

  grpc::Status Both(grpc::ServerContext* context, grpc::ServerReaderWriter<Piece, Piece>* stream) override {
    const Script script = ScriptOf(context);
    const std::vector<std::string> requests = ReadAsked(script, stream);
    WriteAsked(script, stream);
    HoldIfAsked(script, context);
    return EndOf(script, context, requests);
  }
};

class GrpcppAnswerer final : public Answerer {
 public:
  GrpcppAnswerer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) std::abort();
  }
  ~GrpcppAnswerer() override { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1)); }
  int port() const override { return port_; }

 private:
  GrpcppService service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

// ---- the client

void Prepare(const Plan& plan, grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMicroseconds(plan.timeout));
  if (plan.gzip) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  for (const auto& [key, value] : plan.metadata) context.AddMetadata(key, value);
  context.AddMetadata(std::string(kScriptKey), plan.script.SerializeAsString());
}

void FillEnd(const grpc::ClientContext& context, const grpc::Status& status, Observation& seen) {
  seen.code = status.error_code();
  seen.message = status.error_message();
  seen.initial = ToPairs(context.GetServerInitialMetadata());
  seen.trailing = ToPairs(context.GetServerTrailingMetadata());
}

template <class Stream>
void WriteAll(const Plan& plan, Stream& stream) {
  for (size_t i = 0; i < plan.request_sizes.size(); ++i) {
    if (!stream.Write(MakePiece(plan.request_sizes[i], i))) break;
  }
  if (!plan.half_close_late) stream.WritesDone();
}

template <class Stream>
void ReadAll(const Plan& plan, Stream& stream, grpc::ClientContext& context, Observation& seen) {
  Piece piece;
  while (plan.cancel_after != static_cast<int>(seen.replies.size())) {
    if (!stream.Read(&piece)) return;
    seen.replies.push_back(piece.body());
  }
  context.TryCancel();
}

class GrpcppCaller final : public Caller {
 public:
  explicit GrpcppCaller(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = Scripted::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  }

  Observation Make(const Plan& plan) override {
    Observation seen;
    grpc::ClientContext context;
    Prepare(plan, context);
    Piece reply;
    grpc::Status status;
    switch (plan.kind) {
      case Kind::kUnary:
        status = stub_->Unary(&context, MakePiece(plan.request_sizes[0], 0), &reply);
        if (status.ok()) seen.replies.push_back(reply.body());
        break;
      case Kind::kUpload: {
        const auto stream = stub_->Upload(&context, &reply);
        WriteAll(plan, *stream);
        status = stream->Finish();
        if (status.ok()) seen.replies.push_back(reply.body());
        break;
      }
      case Kind::kDownload: {
        const auto stream = stub_->Download(&context, MakePiece(plan.request_sizes[0], 0));
        ReadAll(plan, *stream, context, seen);
        status = stream->Finish();
        break;
      }
      case Kind::kBoth: {
        const auto stream = stub_->Both(&context);
        WriteAll(plan, *stream);
        ReadAll(plan, *stream, context, seen);
        status = stream->Finish();
        break;
      }
    }
    FillEnd(context, status, seen);
    return seen;
  }

 private:
  std::unique_ptr<Scripted::Stub> stub_;
};

}  // namespace

std::unique_ptr<Caller> NewGrpcppCaller(const std::string& address) { return std::make_unique<GrpcppCaller>(address); }
std::unique_ptr<Answerer> NewGrpcppAnswerer() { return std::make_unique<GrpcppAnswerer>(); }

}  // namespace weir::differential
