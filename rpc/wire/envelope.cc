#include "weir/rpc/wire/envelope.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"

namespace weir::wire {
namespace {

uint32_t LengthOf(const char* prefix) {
  const auto* p = reinterpret_cast<const unsigned char*>(prefix);
  return uint32_t{p[1]} << 24 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 8 | uint32_t{p[4]};
}

// Length-Prefixed-Message: "Compressed-Flag -> 0 / 1 # encoded as 1 byte unsigned integer".
uint32_t FlagOf(const char* prefix) { return static_cast<unsigned char>(prefix[0]); }

// The limit is checked here, before a byte of the message is kept.
bool IsGood(const char* prefix, size_t message_bytes_max) {
  return FlagOf(prefix) <= 1 && LengthOf(prefix) <= message_bytes_max;
}

absl::Status WhyBad(const char* prefix, size_t message_bytes_max) {
  if (FlagOf(prefix) > 1) {
    return absl::InternalError(absl::StrCat("message prefix: expected compressed-flag 0 or 1, got ", FlagOf(prefix)));
  }
  return absl::ResourceExhaustedError(absl::StrCat("message of ", LengthOf(prefix), " bytes is over the limit of ",
                                                   message_bytes_max, " bytes (option max_receive_message_bytes)"));
}

}  // namespace

void EnvelopeReader::Feed(std::string_view bytes) {
  assert(input_.empty() && "Keep must come between two Feeds");
  input_ = bytes;
}

EnvelopeReader::Cut EnvelopeReader::Next(Envelope* envelope) {
  if (!error_.ok()) return Cut::kError;
  DropCut();
  if (held_.empty()) {  // cut from the input, without a copy
    if (input_.size() < kEnvelopeHeaderBytes) return Cut::kNeedMore;
    if (!IsGood(input_.data(), message_bytes_max_)) return Fail(WhyBad(input_.data(), message_bytes_max_));
    const size_t total = kEnvelopeHeaderBytes + LengthOf(input_.data());
    if (input_.size() < total) return Cut::kNeedMore;
    envelope->compressed = input_[0] != 0;
    envelope->payload = input_.substr(kEnvelopeHeaderBytes, total - kEnvelopeHeaderBytes);
    input_.remove_prefix(total);
    return Cut::kMessage;
  }
  if (!Hold(kEnvelopeHeaderBytes)) return Cut::kNeedMore;
  std::string room;
  const std::string_view prefix = held_.View(0, kEnvelopeHeaderBytes).Flat(&room);
  if (!IsGood(prefix.data(), message_bytes_max_)) return Fail(WhyBad(prefix.data(), message_bytes_max_));
  const size_t length = LengthOf(prefix.data());
  envelope->compressed = prefix[0] != 0;
  if (!Hold(kEnvelopeHeaderBytes + length)) return Cut::kNeedMore;
  envelope->payload = held_.View(kEnvelopeHeaderBytes, length);
  cut_ = kEnvelopeHeaderBytes + length;
  return Cut::kMessage;
}

bool EnvelopeReader::Hold(size_t wanted) {
  if (wanted <= held_.size()) return true;
  const size_t taken = std::min(wanted - held_.size(), input_.size());
  held_.Append(input_.substr(0, taken), wanted - held_.size() - taken);
  input_.remove_prefix(taken);
  return held_.size() == wanted;
}

void EnvelopeReader::KeepRest() {
  DropCut();
  const std::string_view left = std::exchange(input_, {});
  if (!error_.ok() || left.empty()) return;
  size_t more_bytes = 0;
  if (held_.empty() && left.size() >= kEnvelopeHeaderBytes) {
    // Usually the front of one large message. Its prefix says how much room is worth making; Next has checked it, or
    // will. What follows may also be many messages that nobody has asked for yet.
    const size_t total = kEnvelopeHeaderBytes + LengthOf(left.data());
    if (total > left.size() && total - kEnvelopeHeaderBytes <= message_bytes_max_) more_bytes = total - left.size();
  }
  held_.Append(left, more_bytes);
}

EnvelopeReader::Cut EnvelopeReader::Fail(absl::Status error) {
  error_ = std::move(error);
  held_.Clear();
  input_ = {};
  return Cut::kError;
}

absl::Status EnvelopeReader::AtEnd() const {
  if (!error_.ok()) return error_;
  if (buffered_bytes() == 0) return absl::OkStatus();
  std::string front = held_.View(cut_, std::min(kEnvelopeHeaderBytes, held_.size() - cut_)).Flatten();
  front.append(input_.substr(0, kEnvelopeHeaderBytes - front.size()));
  if (front.size() < kEnvelopeHeaderBytes) {
    return absl::InternalError(
        absl::StrCat("stream ended inside a message prefix: ", front.size(), " of ", kEnvelopeHeaderBytes, " bytes"));
  }
  return absl::InternalError(absl::StrCat("stream ended inside a message: ", buffered_bytes() - kEnvelopeHeaderBytes,
                                          " of ", LengthOf(front.data()), " bytes"));
}

}  // namespace weir::wire
