// weir's client and server of the scripted calls.
#include <optional>

#include "tests/interop/differential/script.weir.pb.h"
#include "tests/interop/differential/side.h"
#include "tests/interop/sleep.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"

namespace weir::differential {
namespace {

Pairs ToPairs(const Metadata& metadata) { return Pairs(metadata.begin(), metadata.end()); }

Piece MakePiece(int bytes, size_t place) {
  Piece piece;
  piece.set_body(Content(bytes, place));
  return piece;
}

// ---- the server

Script ScriptOf(ServerContext& context) {
  Script script;
  script.ParseFromString(std::string(context.metadata().Get(kScriptKey).value_or("")));
  for (const Pair& pair : script.initial()) context.AddInitialMetadata(pair.key(), pair.value());
  if (script.gzip()) context.SetCompression("gzip");
  return script;
}

Task<void> HoldIfAsked(const Script& script, ServerContext& context) {
  while (script.hold() && !context.IsCancelled()) co_await interop::SleepOnLoop(absl::Milliseconds(1));
}

absl::Status EndOf(const Script& script, ServerContext& context, const std::vector<std::string>& requests) {
  for (const Pair& pair : script.trailing()) context.AddTrailingMetadata(pair.key(), pair.value());
  context.AddTrailingMetadata(kSeenKey, Seen(ToPairs(context.metadata()), requests));
  return absl::Status(static_cast<absl::StatusCode>(script.code()), script.message());
}

Task<std::vector<std::string>> ReadAsked(const Script& script, Reader<Piece>& reader) {
  std::vector<std::string> requests;
  for (int left = script.reads(); left != 0; --left) {
    std::optional<Piece> piece = co_await reader.Read();
    if (!piece.has_value()) break;
    requests.push_back(piece->body());
  }
  co_return requests;
}

Task<void> WriteAsked(const Script& script, Writer<Piece>& writer) {
  for (int i = 0; i < script.reply_sizes_size(); ++i) {
    const Piece piece = MakePiece(script.reply_sizes(i), static_cast<size_t>(i));
    if (!co_await writer.Write(piece)) co_return;
  }
}

absl::StatusOr<Piece> OneReply(const Script& script, ServerContext& context, const std::vector<std::string>& requests) {
  const absl::Status end = EndOf(script, context, requests);
  if (!end.ok()) return end;
  return MakePiece(script.reply_sizes(0), 0);
}

class WeirService final : public ScriptedService {
  Task<absl::StatusOr<Piece>> Unary(ServerContext& context, const Piece& request) override {
    const Script script = ScriptOf(context);
    co_await HoldIfAsked(script, context);
    std::vector<std::string> requests(1, request.body());
    co_return OneReply(script, context, requests);
  }

  Task<absl::StatusOr<Piece>> Upload(ServerContext& context, Reader<Piece>& reader) override {
    const Script script = ScriptOf(context);
    const std::vector<std::string> requests = co_await ReadAsked(script, reader);
    co_await HoldIfAsked(script, context);
    co_return OneReply(script, context, requests);
  }

  Task<absl::Status> Download(ServerContext& context, const Piece& request, Writer<Piece>& writer) override {
    const Script script = ScriptOf(context);
    co_await WriteAsked(script, writer);
    co_await HoldIfAsked(script, context);
    std::vector<std::string> requests(1, request.body());
    co_return EndOf(script, context, requests);
  }

  Task<absl::Status> Both(ServerContext& context, Reader<Piece>& reader, Writer<Piece>& writer) override {
    const Script script = ScriptOf(context);
    const std::vector<std::string> requests = co_await ReadAsked(script, reader);
    co_await WriteAsked(script, writer);
    co_await HoldIfAsked(script, context);
    co_return EndOf(script, context, requests);
  }
};

class WeirAnswerer final : public Answerer {
 public:
  WeirAnswerer() {
    server_.AddService(service_);
    if (!server_.Listen("127.0.0.1:0", InsecureServerCredentials()).ok()) std::abort();
  }
  int port() const override { return server_.port(); }

 private:
  WeirService service_;
  Server server_;
};

// ---- the client

CallOptions OptionsOf(const Plan& plan) {
  CallOptions options;
  options.Timeout(plan.timeout);
  if (plan.gzip) options.Compression("gzip");
  for (const auto& [key, value] : plan.metadata) options.Metadata(key, value);
  options.Metadata(kScriptKey, plan.script.SerializeAsString());
  return options;
}

template <class Call>
void FillEnd(Call& call, const absl::Status& status, Observation& seen) {
  seen.code = static_cast<int>(status.code());
  seen.message = std::string(status.message());
  seen.initial = ToPairs(call.InitialMetadata().Wait());
  seen.trailing = ToPairs(call.trailing_metadata());
}

template <class Call>
void WriteAll(const Plan& plan, Call& call) {
  for (size_t i = 0; i < plan.request_sizes.size(); ++i) {
    if (!call.Write(MakePiece(plan.request_sizes[i], i)).Wait()) return;
  }
}

template <class Call>
void ReadAll(const Plan& plan, Call& call, Observation& seen) {
  while (plan.cancel_after != static_cast<int>(seen.replies.size())) {
    const std::optional<Piece> piece = call.Read().Wait();
    if (!piece.has_value()) return;
    seen.replies.push_back(piece->body());
  }
  call.Cancel();
}

class WeirCaller final : public Caller {
 public:
  explicit WeirCaller(const std::string& address) : channel_(address, InsecureChannelCredentials()) {}

  Observation Make(const Plan& plan) override {
    Observation seen;
    switch (plan.kind) {
      case Kind::kUnary: {
        auto call = client_.Unary(MakePiece(plan.request_sizes[0], 0), OptionsOf(plan));
        Keep(call, call.Wait(), seen);
        break;
      }
      case Kind::kUpload: {
        auto call = client_.Upload(OptionsOf(plan));
        WriteAll(plan, call);
        Keep(call, call.Finish().Wait(), seen);
        break;
      }
      case Kind::kDownload: {
        auto call = client_.Download(MakePiece(plan.request_sizes[0], 0), OptionsOf(plan));
        ReadAll(plan, call, seen);
        FillEnd(call, call.Finish().Wait(), seen);
        break;
      }
      case Kind::kBoth: {
        auto call = client_.Both(OptionsOf(plan));
        WriteAll(plan, call);
        if (!plan.half_close_late) call.WritesDone();
        ReadAll(plan, call, seen);
        FillEnd(call, call.Finish().Wait(), seen);
        break;
      }
    }
    return seen;
  }

 private:
  template <class Call>
  static void Keep(Call& call, const absl::StatusOr<Piece>& reply, Observation& seen) {
    if (reply.ok()) seen.replies.push_back(reply->body());
    FillEnd(call, reply.status(), seen);
  }

  Channel channel_;
  ScriptedClient client_{channel_};
};

}  // namespace

std::unique_ptr<Caller> NewWeirCaller(const std::string& address) { return std::make_unique<WeirCaller>(address); }
std::unique_ptr<Answerer> NewWeirAnswerer() { return std::make_unique<WeirAnswerer>(); }

}  // namespace weir::differential
