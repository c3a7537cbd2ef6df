#include "weir/transport/h2/inbox.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "weir/transport/h2/field_rules.h"

namespace weir::transport {
namespace {

// A block this many times over a limit is an attack, not a mistake.
constexpr size_t kAbuseFactor = 4;
constexpr size_t kDebugDataBytesMax = 1024;
// Larger blocks are not remembered: an idle connection must not hold them.
constexpr size_t kKnownBytesMax = 4096;
constexpr size_t kKnownFieldsMax = 64;

StreamId StreamOf(const H2Event& event) {
  return std::visit(
      [](const auto& e) -> StreamId {
        if constexpr (requires { e.stream_id; }) return e.stream_id;
        return 0;
      },
      event);
}

}  // namespace

void Inbox::Open(std::vector<H2Event>* events) {
  events_ = events;
  if (events == nullptr) return;
  if (!late_.empty()) {
    for (H2Event& event : late_) {
      const StreamId id = StreamOf(event);
      const StreamState* stream = id == 0 ? nullptr : streams_->Find(id);
      if (id == 0 || (stream != nullptr && !stream->removed)) events->push_back(std::move(event));
    }
    late_.clear();
  }
  first_event_ = events->size();
}

void Inbox::EmitConnectionWindow() {
  if (events_ == nullptr) return;  // with the next Close
  connection_window_opened_ = false;
  Emit(H2WindowUpdated{0});
}

void Inbox::BeginBlock(StreamState* stream) {
  block_stream_ = stream != nullptr && !stream->Silent() ? stream : nullptr;
  block_bytes_ = 0;
  block_fields_ = 0;
  repeating_ = false;
  if (block_stream_ == nullptr) return;
  block_.Clear();
  judgements_.Clear();
  known_ = stream->head_received ? &known_trailers_ : &known_head_;
  repeating_ = !known_->fields.empty();
  if (stream->head_received) {
    rules_.Begin(MessageRules::Block::kTrailers);
  } else {
    rules_.Begin(options_.role == Role::kClient ? MessageRules::Block::kResponse : MessageRules::Block::kRequest);
  }
}

bool Inbox::AddNewField(std::string_view name, std::string_view value) {
  if (repeating_) StopRepeating();
  value = StripWhitespace(value);
  const bool known = Repeats(name, value);
  const size_t index = block_fields_++;
  block_bytes_ += name.size() + value.size() + 32;
  if (OverLimit(1)) return !OverLimit(kAbuseFactor);
  if (block_stream_ == nullptr) return true;
  const MessageRules::Judgement judged =
      known ? known_->judgements[index] : MessageRules::Judge(rules_.block(), name, value, options_.extended_connect);
  *judgements_.Extend(1) = judged;
  rules_.Add(judged);
  if (judged.verdict == MessageRules::Verdict::kKeep) block_.Add(name, value);
  return true;
}

// The block is not the known one: what was skipped is made up for.
void Inbox::StopRepeating() {
  repeating_ = false;
  block_.Reserve(known_->fields.size(), known_->fields.ListSize());
  for (size_t i = 0; i < block_fields_; ++i) {
    const HeaderView field = known_->fields[i];
    block_.Add(field.name, field.value);
    block_bytes_ += field.name.size() + field.value.size() + 32;
    rules_.Add(known_->judgements[i]);
  }
  judgements_.Append(&known_->judgements[0], block_fields_);
}

void Inbox::TakeKnownBlock() {
  block_ = known_->fields;
  rules_ = known_->rules;
  known_->has_come_again = true;
}

void Inbox::RememberBlock() {
  // Every field has its judgement only if none was dropped.
  if (block_.size() != judgements_.size() || block_.empty()) return;
  if (block_bytes_ > kKnownBytesMax || block_fields_ > kKnownFieldsMax) return;
  known_->fields = block_;
  known_->judgements = std::move(judgements_);
  known_->rules = rules_;
  known_->serial = ++last_serial_;
  known_->has_come_again = false;
}

// Is the block over `factor` times a limit?
bool Inbox::OverLimit(size_t factor) const {
  return block_bytes_ > factor * options_.header_list_bytes_max || block_fields_ > factor * options_.header_fields_max;
}

std::optional<ErrorCode> Inbox::EndBlock(bool end_stream) {
  StreamState* const stream = std::exchange(block_stream_, nullptr);
  if (stream == nullptr || stream->Silent()) return std::nullopt;
  if (OverLimit(1)) return RefuseBlock(stream, end_stream);
  if (repeating_ && block_fields_ < known_->fields.size()) StopRepeating();
  if (repeating_) TakeKnownBlock();
  if (!rules_.End(end_stream, stream->head_request, &stream->message)) return ErrorCode::kProtocolError;
  if (!repeating_) RememberBlock();
  if (!stream->head_received) {
    EmitHead(stream, end_stream);
    if (stream->interim_heads > options_.interim_responses_max) return ErrorCode::kEnhanceYourCalm;
    return std::nullopt;
  }
  stream->remote_ended = end_stream;
  Emit(H2TrailersReceived{stream->id, std::move(block_)});
  return std::nullopt;
}

// The one place that decides what an over-long block costs its sender: a request its answer, anything else its stream.
std::optional<ErrorCode> Inbox::RefuseBlock(StreamState* stream, bool end_stream) {
  const BlockSize size{static_cast<uint32_t>(block_bytes_), static_cast<uint32_t>(block_fields_)};
  if (options_.role == Role::kClient || stream->head_received) {
    too_large_ = size;
    return ErrorCode::kEnhanceYourCalm;
  }
  stream->head_received = true;
  stream->announced = true;
  stream->remote_ended = end_stream;
  ++active_streams;
  Emit(H2RequestTooLarge{stream->id, size, end_stream});
  return std::nullopt;
}

void Inbox::EmitHead(StreamState* stream, bool end_stream) {
  if (options_.role == Role::kClient) {
    const int status = rules_.status();
    stream->head_received = status >= 200;
    if (!stream->head_received) ++stream->interim_heads;
    stream->remote_ended = end_stream;
    Emit(H2ResponseReceived{stream->id, {status, std::move(block_)}, end_stream});
    return;
  }
  stream->head_received = true;
  stream->announced = true;
  stream->remote_ended = end_stream;
  ++active_streams;
  RequestReceived request{std::move(block_)};
  if (rules_.is_tunnel()) {
    Emit(H2WebSocketRequest{stream->id, std::move(request)});
    if (end_stream) Emit(H2BodyReceived{stream->id, {{}, false, 0}});
  } else {
    Emit(H2RequestReceived{stream->id, std::move(request), end_stream});
  }
}

Inbox::Taken Inbox::Data(StreamState* stream, std::string_view data) {
  if (stream == nullptr || stream->Silent()) return Taken::kUnwanted;
  if (!stream->head_received || !stream->message.Body(data.size())) return Taken::kMalformed;
  stream->held_bytes += data.size();
  Emit(H2BodyReceived{stream->id, {data, true, data.size()}});
  return Taken::kYes;
}

std::optional<ErrorCode> Inbox::EndOfStream(StreamState* stream) {
  if (stream == nullptr) return std::nullopt;
  if (!stream->Silent() && (!stream->head_received || !stream->message.BodyEnd())) return ErrorCode::kProtocolError;
  stream->remote_ended = true;
  if (stream->Silent()) return std::nullopt;
  if (events_ != nullptr && events_->size() > first_event_) {
    auto* body = std::get_if<H2BodyReceived>(&events_->back());
    if (body != nullptr && body->stream_id == stream->id) {
      body->body.more = false;
      return std::nullopt;
    }
  }
  Emit(H2BodyReceived{stream->id, {{}, false, 0}});
  return std::nullopt;
}

void Inbox::Reset(StreamState* stream, ErrorCode code, ResetBy by) {
  if (stream->Silent() || stream->Ended()) return;
  stream->reset = true;
  if (stream->announced) Emit(H2StreamReset{stream->id, code, by, std::exchange(too_large_, {})});
}

void Inbox::GoAway(StreamId last_stream_id, ErrorCode code, std::string_view debug_data) {
  Emit(H2GoAway{last_stream_id, code, std::string(debug_data.substr(0, kDebugDataBytesMax))});
  // A GOAWAY that says nothing new costs nothing: no stream was opened since.
  if (options_.role == Role::kServer || last_stream_id >= goaway_last_) return;
  goaway_last_ = last_stream_id;
  for (StreamId id : streams_->SortedIds(last_stream_id)) {
    Reset(streams_->Find(id), ErrorCode::kRefusedStream, ResetBy::kGoAway);
  }
}

void Inbox::Forget(const StreamState* stream) {
  if (block_stream_ == stream) block_stream_ = nullptr;
}

}  // namespace weir::transport
