#include "weir/rpc/server/server_connection.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/life/acknowledge_timeout.h"
#include "weir/rpc/server/admission.h"
#include "weir/rpc/server/write_stall.h"

namespace weir {
namespace {

// For browsers, health checks and checkers of HTTP/2, which ask for it.
constexpr std::string_view kPage =
    "A gRPC server (weir). There are no pages here: call its methods with a gRPC client.\n";

// Between PINGs of a client without calls that may not ping without calls (gRFC A8).
constexpr absl::Duration kIdlePingInterval = absl::Hours(2);

// At most 49 days, which is as good as never.
transport::H2Options::Milliseconds Interval(absl::Duration time) {
  const int64_t ms = std::clamp<int64_t>(absl::ToInt64Milliseconds(time), 0, UINT32_MAX);
  return transport::H2Options::Milliseconds(static_cast<uint32_t>(ms));
}

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
  const PingRules& pings = options.connection.pings;
  h2.min_ping_interval = Interval(pings.min_interval);
  h2.min_idle_ping_interval =
      Interval(pings.without_calls ? pings.min_interval : std::max(pings.min_interval, kIdlePingInterval));
  h2.ping_strikes_max = pings.strikes_max;
  return h2;
}

mux::MultiplexerOptions MuxOptions(const ServerOptions& options, const std::string& peer, LoopTotals* totals) {
  mux::MultiplexerOptions mux;
  mux.max_receive_message_bytes = options.max_receive_message_bytes;
  mux.compressors = &options.compressors;
  mux.peer = peer;
  mux.memory = mux::ConnectionCeilings(options.connection.memory_soft_bytes, options.connection.memory_hard_bytes,
                                       options.max_receive_message_bytes);
  mux.loop_memory = totals == nullptr ? nullptr : &totals->memory;
  return mux;
}

// What a call counts for by its request's head, while its handler has not returned. By the header table a client may
// repeat 16 KiB in 30 octets. Those that count for nothing are shared by calls, or cost about as much as what a call
// has besides.
size_t CountedHeadBytes(const ServerCall& call) {
  constexpr size_t kSmallHeadBytes = 4096;
  const size_t bytes = call.head().request.fields.ListSize();
  return bytes > kSmallHeadBytes ? bytes : 0;
}

transport::ConnectionDriverOptions DriverOptions(const ServerConnectionOptions& options) {
  transport::ConnectionDriverOptions driver;
  driver.write_timeout = absl::ToChronoNanoseconds(options.write_timeout);
  driver.acknowledge_timeout = absl::ToChronoNanoseconds(AcknowledgeTimeout(options.keepalive, options.write_timeout));
  driver.header_block_timeout = absl::ToChronoNanoseconds(options.header_block_timeout);
  return driver;
}

}  // namespace

ServerConnection::ServerConnection(transport::EventLoop& loop, HandlerQueue* workers, const Dispatcher& dispatcher,
                                   const ServerOptions& options, ServerConnectionOwner& owner,
                                   std::unique_ptr<transport::ByteStream> stream, std::string name, double chance,
                                   LoopTotals* totals)
    : loop_(loop),
      workers_(workers),
      dispatcher_(dispatcher),
      options_(options),
      owner_(owner),
      loop_calls_(totals == nullptr ? nullptr : &totals->calls),
      interceptors_(options.interceptors.empty() ? nullptr : &options.interceptors),
      connection_(ConnectionOptions(options)),
      mux_(connection_, *this, this, MuxOptions(options, stream->PeerName(), totals)),
      driver_(loop, std::move(stream), connection_, *this, std::move(name), DriverOptions(options.connection)),
      life_(options.connection, loop.Now(), chance),
      life_timer_(loop, [this] { OnTime(); }) {}

ServerConnection::~ServerConnection() {
  // Only a server that is being torn down gets here with calls: their frames go with them.
  while (calls_ != nullptr) OnCallDone(*calls_);
  FreeDone();
}

absl::Status ServerConnection::Start() {
  absl::Status started = driver_.Start();
  if (started.ok()) {
    SetLifeTimer();
  } else {
    OnClosed(started);  // the driver will not say so
  }
  return started;
}

// ---- calls ----------------------------------------------------------------------------------------------------------

void ServerConnection::OnEvents(std::span<transport::H2Event> events) {
  if (!life_.settled()) [[unlikely]]
    life_.OnEvents(events, loop_.Now());
  in_events_ = true;
  mux_.OnEvents(events);
  in_events_ = false;
  FreeDone();
}

void ServerConnection::RequestTurn() {
  if (turn_timer_ == nullptr) turn_timer_ = std::make_unique<transport::Timer>(loop_, [this] { mux_.OnTurn(); });
  turn_timer_->Set(loop_.Now());
}

void ServerConnection::OnRequest(MessageStream& stream, const wire::Protocol& protocol,
                                 transport::RequestReceived request) {
  std::shared_ptr<const ReceivedHead> head = HeadOf(protocol, std::move(request));
  if (head->method == nullptr) {
    const wire::DecodedRequest& decoded = head->decoded;
    if (head->request.method() == "GET" && head->request.target() == "/") {
      const bool left = stream.AnswerPage(kPage, decoded.status);
      return left ? void() : OnResponseHeld(stream, transport::MonotonicTime::max());
    }
    if (!decoded.status.ok()) return stream.Refuse(decoded.http_status, decoded.status);
    return stream.Refuse(200, absl::UnimplementedError(absl::StrCat("unknown method ", std::string(decoded.path))));
  }
  if (handler_count_ >= connection_.options().max_concurrent_streams) {
    // Only a client that resets its streams gets here: handlers of those still run (CVE-2023-44487).
    return stream.Cancel(MarkUnprocessed(absl::UnavailableError("too many handlers of this connection still run")));
  }
  if (life_.is_asleep()) [[unlikely]] {
    life_.OnCall(loop_.Now());
    SetLifeTimer();
  }
  if (loop_calls_ != nullptr && loop_calls_->IsFull()) return RefuseForAll(stream);
  if (options_.admission != nullptr && !Admit(stream, *head)) return;
  ServerCallOwner& owner = *this;
  auto* const call = new ServerCall(loop_, workers_, owner, stream, std::move(head), mux_.peer());
  call->set_max_send_message_bytes(options_.max_send_message_bytes);
  call->next = calls_;
  if (calls_ != nullptr) calls_->previous = call;
  calls_ = call;
  ++handler_count_;
  if (loop_calls_ != nullptr) loop_calls_->Begin();
  if (const size_t bytes = CountedHeadBytes(*call); bytes > 0) [[unlikely]]
    mux_.CountReceived(bytes);
  if (admitted_ != nullptr) (*admitted_)[call] = loop_.Now();
  try {
    call->BeginDeadline();
    if (deferred_ != nullptr || mux_.memory().answers_over_soft()) [[unlikely]]
      return Defer(*call);
    call->Start(interceptors_);
  } catch (const std::bad_alloc&) {
    call->FailToStart();
  }
}

void ServerConnection::RefuseForAll(MessageStream& stream) {
  CallLimit& limit = loop_calls_->limit();
  limit.NoteRefused();
  stream.Cancel(MarkUnprocessed(absl::UnavailableError(
      absl::StrCat(limit.max(), " calls are open on this server already (ServerOptions::max_calls)"))));
}

// A client that does not take its answers gets no more of them made.
void ServerConnection::Defer(ServerCall& call) {
  mux_.memory().Note(mux::MemoryAct::kDeferred);
  if (deferred_ == nullptr) deferred_ = &call;
}

void ServerConnection::BeginDeferred() {
  while (deferred_ != nullptr && !mux_.memory().answers_over_soft()) {
    ServerCall& call = *std::exchange(deferred_, deferred_->previous);
    try {
      call.Start(interceptors_);
    } catch (const std::bad_alloc&) {
      call.FailToStart();
    }
  }
}

void ServerConnection::OnMemory() noexcept {
  memory_changed_ = true;
  SweepLater();
}

void ServerConnection::WatchMemory() try {
  mux_.RationWindows(loop_.Now());
  SetLifeTimer();
  BeginDeferred();
  if (mux_.is_over_hard()) return EndForMemory();
  if (mux_.memory().total_over_hard()) owner_.OnMemoryFull();
} catch (const std::bad_alloc&) {
  OnNoMemory();
}

bool ServerConnection::Admit(MessageStream& stream, const ReceivedHead& head) {
  const AdmissionDecision decision = options_.admission->Arrive(
      head.method, Arrival{.method = head.decoded.path, .peer = mux_.peer(), .fields = &head.request.fields});
  if (decision.admitted()) {
    if (admitted_ == nullptr) admitted_ = std::make_unique<decltype(admitted_)::element_type>();
    return true;
  }
  Metadata trailing;
  if (decision.push_back().has_value()) {
    trailing.Set(Metadata::kPushBackKey, absl::StrCat(absl::ToInt64Milliseconds(*decision.push_back())));
  }
  stream.Finish(decision.status(), trailing);
  return false;
}

void ServerConnection::Leave(const ServerCall& call) {
  const auto it = admitted_->find(&call);
  if (it == admitted_->end()) return;
  const absl::Duration took = absl::FromChrono(loop_.Now() - it->second);
  admitted_->erase(it);
  options_.admission->Leave(call.head().method, took);
}

std::shared_ptr<const ReceivedHead> ServerConnection::HeadOf(const wire::Protocol& protocol,
                                                             transport::RequestReceived request) {
  // The transport says by a shared buffer that the block repeats the last one.
  const bool repeats = last_head_ != nullptr && &last_head_->protocol == &protocol &&
                       request.fields.SharesBufferWith(last_head_->request.fields);
  if (repeats) return last_head_;
  auto head = std::make_shared<ReceivedHead>(protocol, std::move(request), options_.compressors, options_.compression);
  head->message_arena = options_.message_arena;
  head->metadata_fields_max = options_.max_metadata_fields;
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
  stream.WatchSending(std::make_unique<WriteStall>(loop_, mux_.memory(), transport::MonotonicTime::max(),
                                                   options_.stream_write_stall_timeout,
                                                   [this, &call](absl::Status why) {
                                                     CountStall(why);
                                                     call.Fail(std::move(why));
                                                   }));
}

void ServerConnection::OnResponseHeld(MessageStream& stream, transport::MonotonicTime deadline) {
  stream.WatchSending(std::make_unique<WriteStall>(loop_, mux_.memory(), deadline, options_.stream_write_stall_timeout,
                                                   [this, &stream](absl::Status why) {
                                                     CountStall(why);
                                                     stream.Cancel(why);
                                                     SweepLater();
                                                   }));
}

// Told by a WriteStall, which ends with the call's deadline, too.
void ServerConnection::CountStall(const absl::Status& why) {
  if (!absl::IsDeadlineExceeded(why)) owner_.OnTimeout(Timeout::kStreamWriteStall, 1);
}

void ServerConnection::OnCallDone(ServerCall& call) {
  (call.previous == nullptr ? calls_ : call.previous->next) = call.next;
  if (call.next != nullptr) call.next->previous = call.previous;
  if (&call == deferred_) deferred_ = call.previous;
  if (const size_t bytes = CountedHeadBytes(call); bytes > 0) [[unlikely]]
    mux_.CountReceived(0 - bytes);
  if (admitted_ != nullptr) Leave(call);
  if (loop_calls_ != nullptr) loop_calls_->End();
  if (--handler_count_ == 0) life_.OnIdle(loop_.Now());
  call.next = std::exchange(done_, &call);
  if (!in_events_) SweepLater();
}

void ServerConnection::FreeDone() {
  while (done_ != nullptr) delete std::exchange(done_, done_->next);
}

void ServerConnection::Sweep() {
  FreeDone();
  mux_.Sweep();
  if (std::exchange(memory_changed_, false) && !closed_) [[unlikely]]
    WatchMemory();
  if (closed_ && calls_ == nullptr) owner_.OnConnectionGone(*this);
}

// ---- time -----------------------------------------------------------------------------------------------------------

void ServerConnection::SetLifeTimer() {
  const transport::MonotonicTime due = std::min(life_.due(), mux_.ration_due());
  due == transport::MonotonicTime::max() ? life_timer_.Cancel() : life_timer_.Set(due);
}

void ServerConnection::OnTime() {
  using Act = ConnectionLife::Act;
  const auto next = [this] { return life_.OnTime(loop_.Now(), driver_.last_read(), stream_count() > 0); };
  try {
    for (Act act = next(); act != Act::kNone; act = next()) Do(act);
    if (mux_.ration_due() <= loop_.Now()) WatchMemory();
    SetLifeTimer();
  } catch (const std::bad_alloc&) {
    OnNoMemory();
  }
}

void ServerConnection::Do(ConnectionLife::Act act) {
  using Act = ConnectionLife::Act;
  using transport::ErrorCode;
  const ServerConnectionOptions& options = options_.connection;
  const auto within = [](absl::Duration time, std::string_view option) {
    return absl::StrCat(" within ", absl::FormatDuration(time), " (ServerOptions::connection.", std::string(option),
                        ")");
  };
  switch (act) {
    case Act::kNone:
      return;
    case Act::kPing:
      connection_.SendPing(Keepalive::kOpaque);
      return driver_.RequestFlush();
    case Act::kFinishDrain:
      connection_.FinishDrain();
      return driver_.RequestFlush();
    case Act::kDrainIdle:
      owner_.OnTimeout(Timeout::kMaxIdle, 1);
      return BeginDrain("max_idle");
    case Act::kDrainOld:
      owner_.OnTimeout(Timeout::kMaxAge, 1);
      return BeginDrain("max_age");
    case Act::kNoAnswer:
      owner_.OnTimeout(Timeout::kKeepalive, 1);
      return End(WithWhy(absl::UnavailableError(absl::StrCat("connection to ", mux_.peer(), ": keepalive: no answer",
                                                             within(options.keepalive.timeout, "keepalive.timeout"))),
                         Why{.by = Why::By::kNetwork}),
                 ErrorCode::kNoError);
    case Act::kNoHandshake:
      owner_.OnTimeout(Timeout::kHandshake, 1);
      return End(absl::UnavailableError(absl::StrCat("handshake: expected the client's preface and SETTINGS",
                                                     within(options.handshake_timeout, "handshake_timeout"))),
                 ErrorCode::kSettingsTimeout);
    case Act::kNoAck:
      owner_.OnTimeout(Timeout::kSettingsAck, 1);
      return End(absl::UnavailableError(absl::StrCat("SETTINGS: expected their acknowledgement",
                                                     within(options.settings_ack_timeout, "settings_ack_timeout"))),
                 ErrorCode::kSettingsTimeout);
    case Act::kCountStalls:
      return CancelStalled();
    case Act::kGraceOver:
      owner_.OnTimeout(Timeout::kMaxAgeGrace, 1);
      return End(absl::UnavailableError(absl::StrCat("max_age: expected the connection's calls to end",
                                                     within(options.max_age_grace, "max_age_grace"))),
                 ErrorCode::kNoError);
  }
}

void ServerConnection::CancelStalled() {
  const absl::Status why = absl::CancelledError(absl::StrCat(
      "message: expected the rest of it within ", absl::FormatDuration(options_.connection.message_timeout),
      " of the last part (ServerOptions::connection.message_timeout)"));
  const size_t cancelled = mux_.CancelStalled(ConnectionLife::kStallsMax, WithWhy(why, Why{.by = Why::By::kUs}));
  if (cancelled > 0) owner_.OnTimeout(Timeout::kMessage, cancelled);
  SweepLater();
}

// ---- the end --------------------------------------------------------------------------------------------------------

void ServerConnection::BeginDrain(const char* why) {
  if (closed_ || mux_.is_draining()) return;
  mux_.BeginDrain(why);
  life_.OnDrain(loop_.Now());
  SetLifeTimer();
}

// What it holds is free when this returns, not when the client has taken the last frames: until then others would be
// over the ceiling for it.
void ServerConnection::EndForMemory() try {
  if (std::exchange(ended_for_memory_, true)) return;
  const mux::MemoryAccount& memory = mux_.memory();
  const bool alone = mux_.is_over_hard();
  memory.Note(alone ? mux::MemoryAct::kEndedByConnection : mux::MemoryAct::kEndedByTotal);
  const std::string what =
      memory.received_over_hard()
          ? absl::StrCat(memory.received_bytes(), " bytes of requests wait for their rest or their readers")
      : alone ? absl::StrCat(memory.answer_bytes(), " bytes of answers wait, and the client takes none")
              : absl::StrCat(memory.bytes(), " bytes of answers and requests wait");
  const std::string text =
      absl::StrCat("memory: ", what, "; expected at most ",
                   alone ? memory.ceilings().hard_bytes : memory.total()->ceilings().hard_bytes,
                   alone ? " (ServerOptions::connection.memory_hard_bytes)"
                         : " on all connections, of which this one holds most (ServerOptions::memory_hard_bytes)");
  const absl::Status why = WithWhy(absl::ResourceExhaustedError(text), Why{.by = Why::By::kPeer});
  End(why, transport::ErrorCode::kEnhanceYourCalm);
  mux_.OnClosed(why);
  mux_.Sweep();
  OnOutputHeld();
} catch (const std::bad_alloc&) {
  OnNoMemory();
}

void ServerConnection::Stop(const absl::Status& why) { End(why, transport::ErrorCode::kNoError); }

void ServerConnection::End(const absl::Status& why, transport::ErrorCode code) {
  if (closed_) return;
  for (ServerCall* call = calls_; call != nullptr;) {
    // Failing a call may end others of this list through the handlers that it resumes; those are still in done_.
    ServerCall* next = call->next;
    call->Fail(why);
    call = next;
  }
  // RFC 9113 section 6.8: "Endpoints SHOULD always send a GOAWAY frame before closing a connection so that the remote
  // peer can know whether a stream has been partially processed or not."
  if (code == transport::ErrorCode::kNoError) {
    connection_.FinishDrain();
  } else {
    connection_.CloseConnection(code, std::string(why.message()));
  }
  driver_.Close(why);
}

// Something of the connection is half done: the driver closes it at the end of this turn.
void ServerConnection::OnNoMemory() noexcept {
  connection_.Abandon();
  driver_.RequestFlush();
}

void ServerConnection::OnClosed(const absl::Status& reason) {
  using Overdue = transport::ConnectionDriver::Overdue;
  closed_ = true;
  connection_.Abandon();  // its engine has nobody to write to
  life_timer_.Cancel();
  if (driver_.overdue() == Overdue::kWrite) owner_.OnTimeout(Timeout::kWrite, 1);
  if (driver_.overdue() == Overdue::kHeaderBlock) owner_.OnTimeout(Timeout::kHeaderBlock, 1);
  if (driver_.limit().has_value()) owner_.OnLimit(*driver_.limit());
  absl::Status told(absl::StatusCode::kCancelled, "");
  try {
    const absl::Status end = mux_.EndReason(reason.ok() ? absl::UnavailableError("closed") : reason);
    const std::string text = absl::StrCat("connection to ", mux_.peer(), " is gone: ", end.message());
    told = WithWhy(absl::CancelledError(text), *WhyOf(end));
  } catch (const std::bad_alloc&) {
    // Its calls must be told, if not why.
  }
  mux_.OnClosed(told);
  SweepLater();
}

}  // namespace weir
