#include "weir/rpc/client/client_connection.h"

#include <algorithm>
#include <cstdio>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/life/acknowledge_timeout.h"

namespace weir {
namespace {

transport::H2Options ConnectionOptions(const ChannelOptions& options, uint32_t first_stream_id) {
  transport::H2Options h2;
  h2.first_stream_id = first_stream_id;
  h2.role = transport::Role::kClient;
  h2.stream_window_bytes = options.stream_window_bytes;
  h2.connection_window_bytes = options.connection_window_bytes;
  h2.held_bytes_max = options.unread_bytes_max;
  h2.header_list_bytes_max = options.max_metadata_bytes;
  h2.header_fields_max = options.max_metadata_fields;
  static_cast<transport::H2Budgets&>(h2) = options.budgets;
  return h2;
}

mux::MultiplexerOptions MuxOptions(const ChannelOptions& options, const std::string& peer) {
  mux::MultiplexerOptions mux;
  mux.max_receive_message_bytes = options.max_receive_message_bytes;
  mux.compressors = &options.compressors;
  mux.peer = peer;
  mux.memory = mux::ConnectionCeilings(options.connection.memory_soft_bytes, options.connection.memory_hard_bytes,
                                       options.max_receive_message_bytes);
  return mux;
}

KeepaliveOptions WithTime(KeepaliveOptions options, absl::Duration time) {
  options.time = time;
  return options;
}

transport::ConnectionDriverOptions DriverOptions(const ClientConnectionOptions& options) {
  transport::ConnectionDriverOptions driver;
  driver.write_timeout = absl::ToChronoNanoseconds(options.write_timeout);
  driver.acknowledge_timeout = absl::ToChronoNanoseconds(AcknowledgeTimeout(options.keepalive, options.write_timeout));
  driver.header_block_timeout = absl::ToChronoNanoseconds(options.header_block_timeout);
  return driver;
}

ConnectionSecurity SecurityOf(const transport::ByteStream& stream) {
  if (stream.IsEncrypted()) return ConnectionSecurity::kTls;
  return stream.IsLocal() ? ConnectionSecurity::kLocal : ConnectionSecurity::kPlaintext;
}

// The status of a call whose head the transport refused.
absl::Status NotOpened(const absl::Status& refused) {
  const bool too_large = absl::IsOutOfRange(refused);
  if (!too_large && !absl::IsInvalidArgument(refused)) return refused;
  return absl::Status(too_large ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kInternal,
                      absl::StrCat("the call's metadata cannot be sent: ", refused.message()));
}

}  // namespace

ClientConnection::ClientConnection(transport::EventLoop& loop, const ChannelOptions& options,
                                   KeepaliveTime& keepalive_time, PeerCounts& counts, ClientConnectionOwner& owner,
                                   std::unique_ptr<transport::ByteStream> stream, std::string name,
                                   uint32_t first_stream_id)
    : loop_(loop),
      owner_(&owner),
      accept_encoding_(options.compressors.empty() ? std::string_view() : options.compressors.accept_encoding()),
      peer_(stream->PeerName()),
      scheme_(stream->IsEncrypted() ? "https" : "http"),
      security_(SecurityOf(*stream)),
      options_(options.connection),
      connection_(ConnectionOptions(options, first_stream_id)),
      mux_(connection_, *this, nullptr, MuxOptions(options, peer_)),
      driver_(loop, std::move(stream), connection_, *this, std::move(name), DriverOptions(options.connection)),
      sweep_timer_(loop, [this] { Sweep(); }),
      keepalive_time_(keepalive_time),
      counts_(counts),
      keepalive_options_(WithTime(options.connection.keepalive, keepalive_time.value())),
      life_timer_(loop, [this] { OnTime(); }) {}

ClientConnection::~ClientConnection() = default;

void ClientConnection::Open(StreamRequest& request, std::string_view authority, std::string_view user_agent) {
  used_ = true;
  if (request.depends_on_place()) [[unlikely]] {
    if (!request.MayOpen({.authority = authority, .peer = peer_, .security = security_})) return;
  }
  if (keepalive_.is_asleep()) [[unlikely]]
    WakeKeepalive();
  wire::RequestHead head;
  head.scheme = scheme_;
  head.authority = authority;
  head.user_agent = user_agent;
  head.accept_encoding = accept_encoding_;
  request.DescribeTo(&head);
  absl::StatusOr<MessageStream*> stream = mux_.Open(wire::Grpc(), head, request.observer());
  if (!stream.ok()) return request.OnNoStream(MarkUnprocessed(NotOpened(stream.status())));
  request.OnStream(**stream);
}

void ClientConnection::Drain() try { mux_.BeginDrain(); } catch (const std::bad_alloc&) {
  OnNoMemory();
}

void ClientConnection::Close(const absl::Status& why) try {
  mux_.CancelAll(why);
  driver_.Close(why);
} catch (const std::bad_alloc&) {
  OnNoMemory();
}

void ClientConnection::OnEvents(std::span<transport::H2Event> events) {
  if (!settling_.done()) [[unlikely]]
    OnSettling(events);
  in_events_ = true;
  mux_.OnEvents(events);
  in_events_ = false;
}

// ---- time -----------------------------------------------------------------------------------------------------------

void ClientConnection::OnSettling(std::span<transport::H2Event> events) {
  settling_.OnEvents(events);
  if (!ready_ && settling_.has_settings()) {
    ack_due_ = TimeAfter(loop_.Now(), options_.settings_ack_timeout);
    keepalive_.Start(keepalive_options_, loop_.Now());
    // "the backoff is reset when the server's SETTINGS frame comes", not when TCP connects (connection-backoff).
    ready_ = true;
    owner_->OnReady(*this);
  }
  if (settling_.done()) ack_due_ = transport::MonotonicTime::max();
  SetLifeTimer();
}

void ClientConnection::SetLifeTimer() {
  const transport::MonotonicTime due = std::min({ack_due_, keepalive_.due(), mux_.ration_due()});
  due == transport::MonotonicTime::max() ? life_timer_.Cancel() : life_timer_.Set(due);
}

void ClientConnection::OnTime() try {
  if (ack_due_ <= loop_.Now()) {
    counts_.Add(Timeout::kSettingsAck);
    const std::string text = absl::StrCat("SETTINGS: expected their acknowledgement within ",
                                          absl::FormatDuration(options_.settings_ack_timeout),
                                          " (ChannelOptions::connection.settings_ack_timeout)");
    connection_.CloseConnection(transport::ErrorCode::kSettingsTimeout, text);
    return GiveUp(WithWhy(absl::UnavailableError(absl::StrCat("connection to ", peer_, " failed: ", text)), Why()));
  }
  switch (keepalive_.OnTime(loop_.Now(), driver_.last_read(), mux_.call_count() > 0)) {
    case Keepalive::Act::kNone:
      break;
    case Keepalive::Act::kPing:
      connection_.SendPing(Keepalive::kOpaque);
      driver_.RequestFlush();
      break;
    case Keepalive::Act::kGiveUp:
      counts_.Add(Timeout::kKeepalive);
      return GiveUp(
          WithWhy(absl::UnavailableError(absl::StrCat("connection to ", peer_, ": keepalive: no answer within ",
                                                      absl::FormatDuration(options_.keepalive.timeout))),
                  Why{.by = Why::By::kNetwork}));
  }
  if (mux_.ration_due() <= loop_.Now()) mux_.RationWindows(loop_.Now());
  SetLifeTimer();
} catch (const std::bad_alloc&) {
  OnNoMemory();
}

void ClientConnection::WakeKeepalive() {
  if (keepalive_.OnCall(loop_.Now(), driver_.last_read()) == Keepalive::Act::kPing) {
    connection_.SendPing(Keepalive::kOpaque);
  }
  SetLifeTimer();
}

// Its calls and its channel are told at once: to close it may wait for a peer that does not answer.
void ClientConnection::GiveUp(const absl::Status& why) {
  driver_.Close(why);
  mux_.OnClosed(why);
  owner_->OnDraining(*this, why);
}

// ---- the end --------------------------------------------------------------------------------------------------------

void ClientConnection::OnDraining(const absl::Status& reason) {
  if (const transport::H2GoAway* goaway = mux_.goaway(); goaway != nullptr) {
    const std::string line = keepalive_time_.OnGoAway(*goaway, keepalive_options_.time, peer_);
    if (!line.empty()) std::fprintf(stderr, "%s\n", line.c_str());
  }
  owner_->OnDraining(*this, reason);
}

void ClientConnection::OnClosed(const absl::Status& reason) {
  using Overdue = transport::ConnectionDriver::Overdue;
  life_timer_.Cancel();
  if (driver_.overdue() == Overdue::kWrite) counts_.Add(Timeout::kWrite);
  if (driver_.overdue() == Overdue::kHeaderBlock) counts_.Add(Timeout::kHeaderBlock);
  if (driver_.limit().has_value()) counts_.Add(*driver_.limit());
  connection_.Abandon();  // its engine has nobody to write to
  absl::Status status = reason;
  try {
    status = mux_.EndReason(reason.ok() ? absl::UnavailableError(absl::StrCat("connection to ", peer_, " was closed"))
                                        : reason);
  } catch (const std::bad_alloc&) {
    if (reason.ok()) status = absl::Status(absl::StatusCode::kUnavailable, "");
  }
  closed_ = true;
  close_reason_ = status;
  mux_.OnClosed(status);
  if (mux_.call_count() == 0) return owner_->OnGone(*this, status);
  // Complete responses that nobody has read yet live here.
  owner_->OnDraining(*this, status);
}

// Something of the connection is half done: the driver closes it at the end of this turn.
void ClientConnection::OnNoMemory() noexcept {
  connection_.Abandon();
  driver_.RequestFlush();
}

void ClientConnection::OnPlaceFree() {
  if (!in_events_ && !sweep_timer_.IsSet()) sweep_timer_.Set(loop_.Now());
  if (ready_ && !closed_) owner_->OnPlaceFree(*this);
}

void ClientConnection::OnMemory() noexcept {
  memory_changed_ = true;
  try {
    if (!sweep_timer_.IsSet()) sweep_timer_.Set(loop_.Now());
  } catch (const std::bad_alloc&) {
    OnNoMemory();
  }
}

void ClientConnection::WatchMemory() try {
  if (mux_.is_over_hard()) {
    const std::string text =
        absl::StrCat("memory: ", mux_.memory().bytes(), " bytes of responses wait; expected at most ",
                     mux_.memory().ceilings().hard_bytes, " (ChannelOptions::connection.memory_hard_bytes)");
    connection_.CloseConnection(transport::ErrorCode::kEnhanceYourCalm, text);
    return GiveUp(WithWhy(absl::ResourceExhaustedError(absl::StrCat("connection to ", peer_, " failed: ", text)),
                          Why{.by = Why::By::kPeer}));
  }
  mux_.RationWindows(loop_.Now());
  SetLifeTimer();
} catch (const std::bad_alloc&) {
  OnNoMemory();
}

void ClientConnection::Sweep() {
  mux_.OnTurn();
  if (std::exchange(memory_changed_, false) && !closed_) [[unlikely]]
    WatchMemory();
  if (closed_ && mux_.call_count() == 0) owner_->OnGone(*this, close_reason_);
}

}  // namespace weir
