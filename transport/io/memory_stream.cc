#include "weir/transport/io/memory_stream.h"

#include <algorithm>
#include <cstring>

namespace weir::transport {
namespace {

class End;

// One direction. Shared by both ends, so that either may go first.
struct Pipe {
  std::string bytes;  // bytes[head, end): on their way
  size_t head = 0;
  bool write_ended = false;  // nothing will be added
  bool read_ended = false;   // nothing will be taken
  End* reader = nullptr;
  End* writer = nullptr;

  size_t size() const { return bytes.size() - head; }
};

class End final : public MemoryStream {
 public:
  End(EventLoop& loop, const MemoryStreamOptions& options, std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out,
      std::string local_name, std::string peer_name)
      : options_(options),
        in_(std::move(in)),
        out_(std::move(out)),
        local_name_(std::move(local_name)),
        peer_name_(std::move(peer_name)),
        notify_(loop, [this] { Notify(); }),
        loop_(loop) {
    in_->reader = this;
    out_->writer = this;
  }

  ~End() override {
    if (destroyed_ != nullptr) *destroyed_ = true;
    in_->reader = nullptr;
    in_->read_ended = true;
    out_->writer = nullptr;
    out_->write_ended = true;
    if (in_->writer != nullptr) in_->writer->Announce(kWritable);  // its next Write fails
    if (out_->reader != nullptr) out_->reader->Announce(kReadable);
  }

  absl::Status Start(ByteStreamObserver* observer) override {
    observer_ = observer;
    Announce(kReadable | kWritable);
    return absl::OkStatus();
  }

  IoResult Read(std::span<char> buffer) override {
    if (!failure_.ok()) return {.kind = IoResult::Kind::kError, .error = failure_};
    const size_t count = std::min({buffer.size(), in_->size(), options_.read_bytes_max});
    if (count == 0) return {.kind = in_->write_ended ? IoResult::Kind::kEnd : IoResult::Kind::kWouldBlock};
    const bool was_full = in_->size() >= options_.capacity_bytes;
    memcpy(buffer.data(), in_->bytes.data() + in_->head, count);
    in_->head += count;
    if (in_->head * 2 >= in_->bytes.size()) {
      in_->bytes.erase(0, in_->head);
      in_->head = 0;
    }
    if (was_full && in_->writer != nullptr) in_->writer->Announce(kWritable);
    return {.kind = IoResult::Kind::kDone, .bytes = count};
  }

  IoResult Write(std::span<const std::string_view> pieces) override {
    if (!failure_.ok()) return {.kind = IoResult::Kind::kError, .error = failure_};
    if (out_->read_ended || out_->write_ended) {
      return {.kind = IoResult::Kind::kError,
              .error = absl::UnavailableError("write to " + peer_name_ + ": Broken pipe")};
    }
    size_t room =
        std::min(options_.capacity_bytes - std::min(options_.capacity_bytes, out_->size()), options_.write_bytes_max);
    if (room == 0) return {.kind = IoResult::Kind::kWouldBlock};
    size_t written = 0;
    for (std::string_view piece : pieces) {
      piece = piece.substr(0, room - written);
      out_->bytes.append(piece);
      written += piece.size();
    }
    if (out_->reader != nullptr) out_->reader->Announce(kReadable);
    return {.kind = IoResult::Kind::kDone, .bytes = written};
  }

  void ShutdownWrite() override {
    out_->write_ended = true;
    if (out_->reader != nullptr) out_->reader->Announce(kReadable);
  }

  std::string PeerName() const override { return peer_name_; }
  std::string LocalName() const override { return local_name_; }

  void FailWith(absl::Status error) override {
    failure_ = std::move(error);
    in_->bytes.clear();
    in_->head = 0;
    Announce(kReadable | kWritable);
  }

  size_t unread_bytes() const override { return in_->size(); }

 private:
  static constexpr unsigned kReadable = 1;
  static constexpr unsigned kWritable = 2;

  // As the edge of an event: later, once for several.
  void Announce(unsigned what) {
    announced_ |= what;
    if (observer_ != nullptr && !notify_.IsSet()) notify_.Set(loop_.Now());
  }

  void Notify() {
    const unsigned announced = std::exchange(announced_, 0);
    bool destroyed = false;
    destroyed_ = &destroyed;
    if (announced & kReadable) observer_->OnReadable();
    if (destroyed) return;
    destroyed_ = nullptr;
    if (announced & kWritable) observer_->OnWritable();
  }

  const MemoryStreamOptions options_;
  const std::shared_ptr<Pipe> in_;
  const std::shared_ptr<Pipe> out_;
  const std::string local_name_;
  const std::string peer_name_;
  Timer notify_;
  EventLoop& loop_;
  ByteStreamObserver* observer_ = nullptr;
  unsigned announced_ = 0;
  bool* destroyed_ = nullptr;  // set while the observer is told that it may read
  absl::Status failure_;
};

}  // namespace

std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> MakeMemoryStreamPair(
    EventLoop& loop, MemoryStreamOptions options) {
  auto forth = std::make_shared<Pipe>();
  auto back = std::make_shared<Pipe>();
  return {std::make_unique<End>(loop, options, back, forth, options.first_name, options.second_name),
          std::make_unique<End>(loop, options, forth, back, options.second_name, options.first_name)};
}

}  // namespace weir::transport
