#include "weir/transport/io/tls_wire.h"

#include <algorithm>
#include <span>
#include <utility>

namespace weir::transport {
namespace {

// The memory of a queue while nothing is queued: idle connections own none.
thread_local std::string spare;
constexpr size_t kSpareBytesMax = 256 * 1024;

}  // namespace

TlsWire::~TlsWire() { DropQueued(); }

void TlsWire::Queue(std::string_view bytes) {
  if (!write_error_.ok()) return;
  if (queue_.capacity() < spare.capacity() && queue_.empty()) queue_.swap(spare);
  queue_.append(bytes);
}

void TlsWire::DropQueued() {
  queue_.clear();
  head_ = 0;
  if (queue_.capacity() > spare.capacity() && queue_.capacity() <= kSpareBytesMax) queue_.swap(spare);
  queue_ = std::string();
}

void TlsWire::Flush() {
  if (queue_.empty()) return;
  while (queued_bytes() > 0) {
    const std::string_view pieces[] = {std::string_view(queue_).substr(head_)};
    IoResult result = stream_->Write(pieces);
    if (result.kind == IoResult::Kind::kWouldBlock) return;
    if (result.kind != IoResult::Kind::kDone) {
      write_error_ = std::move(result.error);
      break;
    }
    head_ += result.bytes;
  }
  DropQueued();
}

void TlsWire::LimitInput(size_t bytes, size_t queued_bytes_max) {
  input_bytes_ = 0;
  input_bytes_max_ = bytes;
  input_queued_bytes_max_ = queued_bytes_max;
  input_limit_met_ = false;
}

bool TlsWire::UnlimitInput() {
  input_bytes_max_ = input_queued_bytes_max_ = kNoLimit;
  return input_limit_met_;
}

BioPtr TlsWire::MakeBio() {
  BioPtr bio(BIO_new(Method()));
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio.get(), this);
  BIO_set_init(bio.get(), 1);
  return bio;
}

const BIO_METHOD* TlsWire::Method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir::transport::ByteStream");
    BIO_meth_set_read_ex(made, BioRead);
    BIO_meth_set_write_ex(made, BioWrite);
    BIO_meth_set_ctrl(made, BioControl);
    return made;
  }();
  return method;
}

int TlsWire::BioRead(BIO* bio, char* buffer, size_t size, size_t* count) {
  TlsWire& wire = *static_cast<TlsWire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (wire.input_bytes_ >= wire.input_bytes_max_ || wire.queued_bytes() > wire.input_queued_bytes_max_) {
    wire.input_limit_met_ = true;
    BIO_set_retry_read(bio);
    return 0;
  }
  IoResult result = wire.stream_->Read({buffer, size});
  switch (result.kind) {
    case IoResult::Kind::kDone:
      if (const size_t shown = wire.first_bytes_.size(); shown < kFirstBytes) {
        wire.first_bytes_.append(buffer, std::min(result.bytes, kFirstBytes - shown));
      }
      wire.input_bytes_ += result.bytes;
      *count = result.bytes;
      return 1;
    case IoResult::Kind::kWouldBlock:
      BIO_set_retry_read(bio);
      return 0;
    case IoResult::Kind::kEnd:
      wire.input_ended_ = true;
      return 0;
    case IoResult::Kind::kError:
      wire.read_error_ = std::move(result.error);
      return 0;
  }
  return 0;
}

int TlsWire::BioWrite(BIO* bio, const char* data, size_t size, size_t* count) {
  BIO_clear_retry_flags(bio);
  static_cast<TlsWire*>(BIO_get_data(bio))->Queue({data, size});
  *count = size;
  return 1;
}

long TlsWire::BioControl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return static_cast<TlsWire*>(BIO_get_data(bio))->input_ended_ ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

}  // namespace weir::transport
