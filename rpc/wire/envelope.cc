#include "weir/rpc/wire/envelope.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"

namespace weir::wire {
namespace {

// What a drained buffer may keep: a stream that waits must not hold the memory of its largest message.
constexpr size_t kIdleCapacityMax = 4096;

// Room made ahead of the bytes received, as a multiple of them. A declared length alone makes no room, so a peer pays
// for a quarter of what it makes us allocate. A little more spares a second step to a message of four full frames.
constexpr size_t kGrowthFactor = 4;
constexpr size_t kGrowthExtra = 1024;

uint32_t LengthOf(const char* prefix) {
  const auto* p = reinterpret_cast<const unsigned char*>(prefix);
  return uint32_t{p[1]} << 24 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 8 | uint32_t{p[4]};
}

// Length-Prefixed-Message: "Compressed-Flag -> 0 / 1 # encoded as 1 byte unsigned integer". The limit is checked here,
// before a byte of the message is kept.
absl::Status CheckPrefix(const char* prefix, size_t message_bytes_max) {
  if (const auto flag = static_cast<unsigned char>(prefix[0]); flag > 1) {
    return absl::InternalError(absl::StrCat("message prefix: expected compressed-flag 0 or 1, got ", flag));
  }
  if (const uint32_t length = LengthOf(prefix); length > message_bytes_max) {
    return absl::ResourceExhaustedError(absl::StrCat("message of ", length, " bytes is over the limit of ",
                                                     message_bytes_max, " bytes (option max_receive_message_bytes)"));
  }
  return absl::OkStatus();
}

}  // namespace

void PutEnvelopeHeader(char* out, bool compressed, uint32_t length) {
  out[0] = compressed ? 1 : 0;
  out[1] = static_cast<char>(length >> 24);
  out[2] = static_cast<char>(length >> 16);
  out[3] = static_cast<char>(length >> 8);
  out[4] = static_cast<char>(length);
}

void EnvelopeReader::Feed(std::string_view bytes) {
  assert(input_.empty() && "Keep must come between two Feeds");
  input_ = bytes;
}

EnvelopeReader::Cut EnvelopeReader::Next(Envelope* envelope) {
  if (!error_.ok()) return Cut::kError;
  if (head_ == buffer_.size()) {  // nothing held: cut from the input, without a copy
    if (!buffer_.empty()) DropCutBytes();
    if (input_.size() < kEnvelopeHeaderBytes) return Cut::kNeedMore;
    if (absl::Status bad = CheckPrefix(input_.data(), message_bytes_max_); !bad.ok()) return Fail(std::move(bad));
    const size_t total = kEnvelopeHeaderBytes + LengthOf(input_.data());
    if (input_.size() < total) return Cut::kNeedMore;
    envelope->compressed = input_[0] != 0;
    envelope->payload = input_.substr(kEnvelopeHeaderBytes, total - kEnvelopeHeaderBytes);
    input_.remove_prefix(total);
    return Cut::kMessage;
  }
  Take(kEnvelopeHeaderBytes, 0);
  if (buffer_.size() - head_ < kEnvelopeHeaderBytes) return Cut::kNeedMore;
  if (absl::Status bad = CheckPrefix(Held().data(), message_bytes_max_); !bad.ok()) return Fail(std::move(bad));
  const size_t total = kEnvelopeHeaderBytes + LengthOf(Held().data());
  Take(total, total);
  if (buffer_.size() - head_ < total) return Cut::kNeedMore;
  envelope->compressed = Held()[0] != 0;
  envelope->payload = Held().substr(kEnvelopeHeaderBytes, total - kEnvelopeHeaderBytes);
  head_ += total;
  return Cut::kMessage;
}

void EnvelopeReader::Take(size_t wanted, size_t total) {
  const size_t held = buffer_.size() - head_;
  const size_t taken = std::min(wanted > held ? wanted - held : 0, input_.size());
  if (taken == 0) return;
  if (head_ >= held) DropCutBytes();  // moves fewer bytes than it drops: linear over the life of the stream
  if (buffer_.capacity() - buffer_.size() < taken && total != 0) {
    buffer_.Reserve(head_ + std::min(total, kGrowthFactor * (held + taken) + kGrowthExtra));
  }
  buffer_.Append(input_.data(), taken);
  input_.remove_prefix(taken);
}

void EnvelopeReader::DropCutBytes() {
  buffer_.RemovePrefix(head_);
  head_ = 0;
  if (buffer_.empty() && buffer_.capacity() > kIdleCapacityMax) buffer_ = transport::PoolArray<char>();
}

void EnvelopeReader::Keep() {
  if (!error_.ok() || input_.empty()) {
    input_ = {};
    return;
  }
  if (head_ == buffer_.size() && input_.size() >= kEnvelopeHeaderBytes) {
    // Usually the front of one large message. Its prefix says how much room is worth making; Next has checked it, or
    // will. What follows may also be many messages that nobody has asked for yet.
    DropCutBytes();
    const size_t total = kEnvelopeHeaderBytes + LengthOf(input_.data());
    if (total > input_.size() && total - kEnvelopeHeaderBytes <= message_bytes_max_) Take(input_.size(), total);
  }
  Take(buffer_.size() - head_ + input_.size(), 0);
}

EnvelopeReader::Cut EnvelopeReader::Fail(absl::Status error) {
  error_ = std::move(error);
  buffer_ = transport::PoolArray<char>();
  head_ = 0;
  input_ = {};
  return Cut::kError;
}

absl::Status EnvelopeReader::AtEnd() const {
  if (!error_.ok()) return error_;
  if (buffered_bytes() == 0) return absl::OkStatus();
  std::string front(Held().substr(0, kEnvelopeHeaderBytes));
  front.append(input_.substr(0, kEnvelopeHeaderBytes - front.size()));
  if (front.size() < kEnvelopeHeaderBytes) {
    return absl::InternalError(
        absl::StrCat("stream ended inside a message prefix: ", front.size(), " of ", kEnvelopeHeaderBytes, " bytes"));
  }
  return absl::InternalError(absl::StrCat("stream ended inside a message: ", buffered_bytes() - kEnvelopeHeaderBytes,
                                          " of ", LengthOf(front.data()), " bytes"));
}

}  // namespace weir::wire
