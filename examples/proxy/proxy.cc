#include "weir/examples/proxy/proxy.h"

#include <optional>
#include <utility>

#include "weir/rpc/core/resumption.h"

namespace proxy {
namespace {

using weir::Bytes;
using UpstreamCall = weir::BidiCall<Bytes, Bytes>;

// What the client is allowed to know of the call, and the server of its client.
weir::CallOptions OptionsOf(const weir::ServerContext& context) {
  weir::CallOptions options;
  for (const auto& [key, value] : context.metadata()) options.Metadata(key, value);
  options.Parent(context);  // its deadline, and its end
  return options;
}

// Carries the client's messages to the server, beside the handler, on its loop.
class Requests final : private weir::TaskRoot {
 public:
  Requests(weir::Reader<Bytes>& reader, UpstreamCall& upstream) : task_(Carry(*this, reader, upstream)) {
    task_.Start(this);
  }

  // To be awaited when the call to the server has ended, before this is destroyed. A message that the client has not
  // sent is waited for no more. One on its way to the server ends by itself, and must: it may be doing so on the other
  // loop now.
  bool await_ready() const { return !writing_; }
  void await_suspend(std::coroutine_handle<> handler) { handler_ = weir::Resumption(handler); }
  void await_resume() const {}

 private:
  static weir::Task<void> Carry(Requests& self, weir::Reader<Bytes>& reader, UpstreamCall& upstream) {
    while (std::optional<Bytes> message = co_await reader.Read()) {
      self.writing_ = true;
      const bool taken = co_await upstream.Write(*message);
      self.writing_ = false;
      if (!taken || self.handler_) co_return;
    }
    upstream.WritesDone();
  }

  void OnTaskDone() noexcept override {
    if (handler_) handler_.Resume();
  }

  bool writing_ = false;
  weir::Resumption handler_;  // waits for the last message
  weir::Task<void> task_;
};

}  // namespace

weir::Task<absl::Status> Proxy::Call(weir::ServerContext& context, weir::Reader<Bytes>& reader,
                                     weir::Writer<Bytes>& writer) {
  UpstreamCall upstream = upstream_.Bidi(context.method(), OptionsOf(context));
  context.OnCancel([&upstream] { upstream.Cancel(); });
  Requests requests(reader, upstream);

  const weir::Metadata initial = co_await upstream.InitialMetadata();
  for (const auto& [key, value] : initial) context.AddInitialMetadata(key, value);
  while (std::optional<Bytes> message = co_await upstream.Read()) {
    if (!co_await writer.Write(*message)) upstream.Cancel();
  }
  absl::Status status = co_await upstream.Finish();
  co_await requests;
  for (const auto& [key, value] : upstream.trailing_metadata()) context.AddTrailingMetadata(key, value);
  co_return status;
}

}  // namespace proxy
