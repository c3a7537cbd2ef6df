#include "weir/rpc/client/client_connection.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"

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
  return mux;
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
                                   ClientConnectionOwner& owner, std::unique_ptr<transport::ByteStream> stream,
                                   std::string name, uint32_t first_stream_id)
    : loop_(loop),
      owner_(&owner),
      accept_encoding_(options.compressors.empty() ? std::string_view() : options.compressors.accept_encoding()),
      peer_(stream->PeerName()),
      scheme_(stream->IsEncrypted() ? "https" : "http"),
      connection_(ConnectionOptions(options, first_stream_id)),
      mux_(connection_, *this, nullptr, MuxOptions(options, peer_)),
      driver_(loop, std::move(stream), connection_, *this, std::move(name)),
      sweep_timer_(loop, [this] { Sweep(); }) {}

ClientConnection::~ClientConnection() = default;

void ClientConnection::Open(StreamRequest& request, std::string_view authority, std::string_view user_agent) {
  used_ = true;
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

void ClientConnection::Drain() { mux_.BeginDrain(); }

void ClientConnection::Close(const absl::Status& why) {
  mux_.CancelAll(why);
  driver_.Close(why);
}

void ClientConnection::OnEvents(std::span<transport::H2Event> events) {
  if (!ready_) {
    for (const transport::H2Event& event : events) {
      const auto* settings = std::get_if<transport::H2SettingsReceived>(&event);
      if (settings == nullptr || settings->ack) continue;
      // "the backoff is reset when the server's SETTINGS frame comes", not when TCP connects (connection-backoff).
      ready_ = true;
      owner_->OnReady(*this);
      break;
    }
  }
  in_events_ = true;
  mux_.OnEvents(events);
  in_events_ = false;
}

void ClientConnection::OnClosed(const absl::Status& reason) {
  const absl::Status status = mux_.EndReason(
      reason.ok() ? absl::UnavailableError(absl::StrCat("connection to ", peer_, " was closed")) : reason);
  closed_ = true;
  close_reason_ = status;
  mux_.OnClosed(status);
  if (mux_.call_count() == 0) return owner_->OnGone(*this, status);
  // Complete responses that nobody has read yet live here.
  owner_->OnDraining(*this, status);
}

void ClientConnection::OnPlaceFree() {
  if (!in_events_ && !sweep_timer_.IsSet()) sweep_timer_.Set(loop_.Now());
  if (ready_ && !closed_) owner_->OnPlaceFree(*this);
}

void ClientConnection::Sweep() {
  mux_.Sweep();
  if (closed_ && mux_.call_count() == 0) owner_->OnGone(*this, close_reason_);
}

}  // namespace weir
