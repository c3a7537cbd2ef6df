#include "weir/rpc/server/server_connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/server/write_stall.h"

namespace weir {
namespace {

// How long a client may take to answer the PING of a drain before GOAWAY names the last stream all the same.
constexpr std::chrono::seconds kDrainPingTimeout(5);

transport::H2Options ConnectionOptions(const ServerOptions& options) {
  transport::H2Options h2;
  h2.role = transport::Role::kServer;
  h2.max_concurrent_streams = options.max_concurrent_streams;
  h2.stream_window_bytes = options.stream_window_bytes;
  h2.connection_window_bytes = options.connection_window_bytes;
  h2.held_bytes_max = options.unread_bytes_max;
  h2.header_list_bytes_max = options.max_metadata_bytes;
  h2.header_fields_max = options.max_metadata_fields;
  static_cast<transport::H2Budgets&>(h2) = options.budgets;
  h2.extended_connect = false;  // nobody here serves tunnels
  return h2;
}

mux::MultiplexerOptions MuxOptions(const ServerOptions& options, const std::string& peer) {
  mux::MultiplexerOptions mux;
  mux.max_receive_message_bytes = options.max_receive_message_bytes;
  mux.compressors = &options.compressors;
  mux.peer = peer;
  return mux;
}

}  // namespace

ServerConnection::ServerConnection(transport::EventLoop& loop, transport::Executor* workers,
                                   const Dispatcher& dispatcher, const ServerOptions& options,
                                   ServerConnectionOwner& owner, std::unique_ptr<transport::ByteStream> stream,
                                   std::string name)
    : loop_(loop),
      workers_(workers),
      dispatcher_(dispatcher),
      options_(options),
      owner_(owner),
      interceptors_(options.interceptors.empty() ? nullptr : &options.interceptors),
      peer_(stream->PeerName()),
      connection_(ConnectionOptions(options)),
      mux_(connection_, *this, this, MuxOptions(options, peer_)),
      driver_(loop, std::move(stream), connection_, *this, std::move(name)),
      drain_ping_timer_(loop, [this] {
        connection_.FinishDrain();
        driver_.RequestFlush();
      }) {}

ServerConnection::~ServerConnection() {
  // Only a server that is being torn down gets here with calls: their frames go with them.
  while (calls_ != nullptr) OnCallDone(*calls_);
}

absl::Status ServerConnection::Start() {
  absl::Status started = driver_.Start();
  if (!started.ok()) OnClosed(started);  // the driver will not say so
  return started;
}

// ---- calls ----------------------------------------------------------------------------------------------------------

void ServerConnection::OnEvents(std::span<transport::H2Event> events) {
  in_events_ = true;
  mux_.OnEvents(events);
  in_events_ = false;
  done_.clear();
}

void ServerConnection::OnRequest(MessageStream& stream, const wire::Protocol& protocol,
                                 transport::RequestReceived request) {
  std::shared_ptr<const ReceivedHead> head = HeadOf(protocol, std::move(request));
  if (head->method == nullptr) {
    const wire::DecodedRequest& decoded = head->decoded;
    if (!decoded.status.ok()) return stream.Refuse(decoded.http_status, decoded.status);
    return stream.Refuse(200, absl::UnimplementedError(absl::StrCat("unknown method ", std::string(decoded.path))));
  }
  if (handler_count_ >= connection_.options().max_concurrent_streams) {
    // Only a client that resets its streams gets here: handlers of those still run (CVE-2023-44487).
    return stream.Cancel(MarkUnprocessed(absl::UnavailableError("too many handlers of this connection still run")));
  }
  ServerCallOwner& owner = *this;
  auto* const call = new ServerCall(loop_, workers_, owner, stream, std::move(head), peer_);
  call->set_max_send_message_bytes(options_.max_send_message_bytes);
  call->next = calls_;
  if (calls_ != nullptr) calls_->previous = call;
  calls_ = call;
  ++handler_count_;
  call->Start(interceptors_);
}

std::shared_ptr<const ReceivedHead> ServerConnection::HeadOf(const wire::Protocol& protocol,
                                                             transport::RequestReceived request) {
  // The transport says by a shared buffer that the block repeats the last one.
  const bool repeats = last_head_ != nullptr && &last_head_->protocol == &protocol &&
                       request.fields.SharesBufferWith(last_head_->request.fields);
  if (repeats) return last_head_;
  auto head = std::make_shared<ReceivedHead>(protocol, std::move(request), options_.compressors, options_.compression);
  head->message_arena = options_.message_arena;
  head->peer_identity = &driver_.stream().peer_identity();
  if (head->decoded.status.ok()) {
    const Dispatcher::Target target = dispatcher_.Find(head->decoded.path);
    head->service = target.service;
    head->method = target.method;
  }
  return last_head_ = std::move(head);
}

void ServerConnection::OnWriteHeld(ServerCall& call, MessageStream& stream) {
  // Without the call's deadline, for which it has a timer of its own.
  stream.WatchSending(std::make_unique<WriteStall>(loop_, transport::MonotonicTime::max(),
                                                   options_.stream_write_stall_timeout,
                                                   [&call](absl::Status why) { call.Fail(std::move(why)); }));
}

void ServerConnection::OnResponseHeld(MessageStream& stream, transport::MonotonicTime deadline) {
  stream.WatchSending(std::make_unique<WriteStall>(loop_, deadline, options_.stream_write_stall_timeout,
                                                   [this, &stream](absl::Status why) {
                                                     stream.Cancel(why);
                                                     SweepLater();
                                                   }));
}

void ServerConnection::OnCallDone(ServerCall& call) {
  (call.previous == nullptr ? calls_ : call.previous->next) = call.next;
  if (call.next != nullptr) call.next->previous = call.previous;
  --handler_count_;
  done_.emplace_back(&call);
  if (!in_events_) SweepLater();
}

void ServerConnection::SweepLater() {
  if (std::exchange(sweep_posted_, true)) return;
  loop_.Post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) Sweep();
  });
}

void ServerConnection::Sweep() {
  sweep_posted_ = false;
  done_.clear();
  mux_.Sweep();
  if (closed_ && calls_ == nullptr) owner_.OnConnectionGone(*this);
}

// ---- the end --------------------------------------------------------------------------------------------------------

void ServerConnection::BeginDrain() {
  if (closed_ || mux_.is_draining()) return;
  mux_.BeginDrain();
  drain_ping_timer_.Set(loop_.Now() + kDrainPingTimeout);
}

void ServerConnection::Stop(const absl::Status& why) {
  if (closed_) return;
  for (ServerCall* call = calls_; call != nullptr;) {
    // Failing a call may end others of this list through the handlers that it resumes; those are still in done_.
    ServerCall* next = call->next;
    call->Fail(why);
    call = next;
  }
  // RFC 9113 section 6.8: "Endpoints SHOULD always send a GOAWAY frame before closing a connection so that the remote peer
  // can know whether a stream has been partially processed or not."
  connection_.FinishDrain();
  driver_.Close(why);
}

void ServerConnection::OnClosed(const absl::Status& reason) {
  closed_ = true;
  drain_ping_timer_.Cancel();
  const absl::Status end = mux_.EndReason(reason.ok() ? absl::UnavailableError("closed") : reason);
  mux_.OnClosed(
      WithWhy(absl::CancelledError(absl::StrCat("connection to ", peer_, " is gone: ", end.message())), *WhyOf(end)));
  SweepLater();
}

}  // namespace weir
