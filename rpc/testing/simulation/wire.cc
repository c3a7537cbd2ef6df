#include "weir/testing/simulation/wire.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace weir::testing {
namespace {

using transport::IoResult;

// Under way and not read, of one direction: as the buffers of two sockets.
constexpr size_t kCapacityBytes = 128 * 1024;

uint64_t HashOf(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

IoResult Failed(const char* what) { return {.kind = IoResult::Kind::kError, .error = absl::UnavailableError(what)}; }

}  // namespace

class Wire::End final : public transport::ByteStream {
  using Outside = transport::Executor::Scope;  // the memory of the network is not that of a process

 public:
  End(std::shared_ptr<Wire> wire, int end) : wire_(std::move(wire)), end_(end) {}
  ~End() override {
    const Outside outside(nullptr);
    wire_->Close(end_);
  }

  absl::Status Start(transport::ByteStreamObserver* observer) override {
    const Outside outside(nullptr);
    wire_->ends_[end_].observer = observer;
    wire_->Tell(end_, true);
    wire_->Tell(end_, false);
    return absl::OkStatus();
  }
  IoResult Read(std::span<char> buffer) override {
    const Outside outside(nullptr);
    return wire_->Read(end_, buffer);
  }
  IoResult Write(std::span<const std::string_view> pieces) override {
    const Outside outside(nullptr);
    return wire_->Write(end_, pieces);
  }
  void ShutdownWrite() override {
    const Outside outside(nullptr);
    wire_->ShutdownWrite(end_);
  }
  std::string PeerName() const override { return wire_->NameOf(1 - end_); }
  std::string LocalName() const override { return wire_->NameOf(end_); }

 private:
  const std::shared_ptr<Wire> wire_;
  const int end_;
};

Wire::Wire(WorldParts world, SimulatedRandom random, std::string name, SimulatedLoop& loop0, SimulatedLoop& loop1)
    : world_(world),
      random_(random),
      name_(std::move(name)),
      delay_(std::chrono::microseconds(random_.Between(20, 2000))) {
  ends_[0].loop = &loop0;
  ends_[1].loop = &loop1;
}

std::unique_ptr<transport::ByteStream> Wire::TakeEnd(int end) { return std::make_unique<End>(shared_from_this(), end); }

size_t Wire::bytes_held() const {
  size_t bytes = 0;
  for (const Pipe& pipe : pipes_) bytes += pipe.under_way_bytes + pipe.arrived.size();
  return bytes;
}

// ---- what processes do ----------------------------------------------------------------------------------------------

// Mostly all of it; sometimes a part, so that every border falls between two reads once.
size_t Wire::SomeOf(size_t bytes) {
  if (bytes_max_ != 0 && dribbles_left_-- > 0) return std::min(bytes, bytes_max_);
  return random_.OneIn(4) ? std::min<size_t>(bytes, random_.Between(1, 64)) : bytes;
}

IoResult Wire::Read(int end, std::span<char> buffer) {
  Pipe& pipe = pipes_[1 - end];
  if (reset_) return Failed("read: Connection reset by peer");
  if (pipe.arrived.empty()) return {.kind = pipe.end_arrived ? IoResult::Kind::kEnd : IoResult::Kind::kWouldBlock};
  if (IsBusy()) {
    Tell(end, true);
    return {.kind = IoResult::Kind::kWouldBlock};
  }
  const size_t count = SomeOf(std::min(buffer.size(), pipe.arrived.size()));
  memcpy(buffer.data(), pipe.arrived.data(), count);
  pipe.arrived.erase(0, count);
  if (std::exchange(pipe.writer_waits, false)) Tell(1 - end, false);
  return {.kind = IoResult::Kind::kDone, .bytes = count};
}

IoResult Wire::Write(int end, std::span<const std::string_view> pieces) {
  Pipe& pipe = pipes_[end];
  if (reset_) return Failed("write: Connection reset by peer");
  if (pipe.write_ended) return Failed("write: Broken pipe");
  if (pipe.writes_fail) return Failed("write: No buffer space available");
  if (std::exchange(pipe.writer_pauses, false) || IsBusy()) {
    Tell(end, false);
    return {.kind = IoResult::Kind::kWouldBlock};
  }
  size_t wanted = 0;
  for (std::string_view piece : pieces) wanted += piece.size();
  const size_t held = pipe.under_way_bytes + pipe.arrived.size();
  const size_t room = SomeOf(std::min(wanted, kCapacityBytes - std::min(kCapacityBytes, held)));
  if (room == 0) {
    pipe.writer_waits = true;
    return {.kind = IoResult::Kind::kWouldBlock};
  }
  pipe.writer_pauses = room < wanted && random_.OneIn(2);
  Segment segment;
  for (std::string_view piece : pieces) segment.bytes.append(piece.substr(0, room - segment.bytes.size()));
  segment.bytes = frames_.Pass(end, segment.bytes);
  if (!segment.bytes.empty()) Send(end, std::move(segment));
  return {.kind = IoResult::Kind::kDone, .bytes = room};
}

void Wire::ShutdownWrite(int end) {
  if (std::exchange(pipes_[end].write_ended, true) || reset_) return;
  Send(end, Segment{.end = true});
}

void Wire::Close(int end) {
  ends_[end].gone = true;
  ends_[end].observer = nullptr;
  if (reset_) return;
  // As with sockets: what the process has not read makes its system answer with a reset.
  if (!pipes_[1 - end].arrived.empty()) return Reset("closed with unread bytes");
  ShutdownWrite(end);
}

// ---- what the network does ------------------------------------------------------------------------------------------

void Wire::Send(int direction, Segment segment) {
  Pipe& pipe = pipes_[direction];
  if (pipe.swallowed) return;
  segment.arrival = world_.time.Now() + delay_ + std::chrono::microseconds(random_.Below(50));
  if (!pipe.under_way.empty()) segment.arrival = std::max(segment.arrival, pipe.under_way.back().arrival);
  pipe.under_way_bytes += segment.bytes.size();
  world_.agenda.At(segment.arrival, [wire = shared_from_this(), direction] { wire->Arrive(direction); });
  pipe.under_way.push_back(std::move(segment));
}

void Wire::Arrive(int direction) {
  Pipe& pipe = pipes_[direction];
  if (reset_ || pipe.under_way.empty() || pipe.under_way.front().arrival > world_.time.Now()) return;
  if (pipe.stalled_until > world_.time.Now()) {
    world_.agenda.At(pipe.stalled_until, [wire = shared_from_this(), direction] { wire->Arrive(direction); });
    return;
  }
  Segment segment = std::move(pipe.under_way.front());
  pipe.under_way.pop_front();
  pipe.under_way_bytes -= segment.bytes.size();
  const int reader = 1 - direction;
  const bool cut = pipe.cut_at.has_value() && pipe.delivered + segment.bytes.size() >= *pipe.cut_at;
  if (cut) segment.bytes.resize(*pipe.cut_at - std::min(*pipe.cut_at, pipe.delivered));
  pipe.delivered += segment.bytes.size();
  world_.log.Add(absl::StrCat(name_, direction == 0 ? " > " : " < ", segment.bytes.size(), " ", HashOf(segment.bytes),
                              segment.end ? " end" : ""));
  if (ends_[reader].gone) {
    // Nobody will read it: the writer is told.
    if (!segment.bytes.empty()) Reset("sent to an end that has been closed");
    return;
  }
  pipe.arrived += segment.bytes;
  pipe.end_arrived = pipe.end_arrived || segment.end;
  if (cut) {
    // The reader gets what came before, and nothing of what comes behind: the connection fails a little later.
    pipe.cut_at.reset();
    pipe.swallowed = true;
    pipe.under_way.clear();
    pipe.under_way_bytes = 0;
    world_.agenda.At(world_.time.Now() + std::chrono::microseconds(1),
                     [wire = shared_from_this()] { wire->Reset("cut"); });
  }
  Tell(reader, true);
}

void Wire::Heal() {
  Dribble(0);
  SetDelay(std::chrono::milliseconds(1));
  RestoreSettings();
  busy_until_ = {};
  for (int direction : {0, 1}) {
    Pipe& pipe = pipes_[direction];
    pipe.stalled_until = {};
    pipe.cut_at.reset();
    pipe.writes_fail = false;
    // What a network has swallowed never comes, and who waits for it would wait for ever: such connections end.
    if (pipe.swallowed) return Reset("half-closed before");
    for (Segment& segment : pipe.under_way) {
      segment.arrival = world_.time.Now();
      world_.agenda.At(segment.arrival, [wire = shared_from_this(), direction] { wire->Arrive(direction); });
    }
  }
}

void Wire::HalfClose(int direction) {
  Pipe& pipe = pipes_[direction];
  if (reset_ || pipe.swallowed) return;
  Send(direction, Segment{.end = true});
  pipe.swallowed = true;
}

bool Wire::ChangeSettings(const Settings& settings, const Settings& sent) {
  if (reset_ || pipes_[1].write_ended || !frames_.AddSettings(settings)) return false;
  settings_sent_ = sent;
  Inject(1);
  return true;
}

void Wire::RestoreSettings() {
  if (!settings_sent_.has_value()) return;
  const Settings sent = *settings_sent_;
  ChangeSettings(sent, sent);
  settings_sent_.reset();
}

std::vector<uint32_t> Wire::open_streams() const { return reset_ ? std::vector<uint32_t>() : frames_.open_streams(); }

void Wire::ResetStream(int direction, uint32_t stream, uint32_t error_code) {
  if (reset_ || pipes_[direction].write_ended) return;
  frames_.AddReset(direction, stream, error_code);
  Inject(direction);
}

// What is to come between two frames, if there is a border now.
void Wire::Inject(int direction) {
  if (std::string due = frames_.TakeDue(direction); !due.empty()) Send(direction, Segment{.bytes = std::move(due)});
}

void Wire::Reset(std::string_view why) {
  if (std::exchange(reset_, true)) return;
  world_.log.Add(absl::StrCat(name_, " reset: ", std::string(why)));
  for (Pipe& pipe : pipes_) {
    pipe.under_way.clear();
    pipe.under_way_bytes = 0;
    pipe.arrived.clear();
  }
  for (int end : {0, 1}) {
    Tell(end, true);
    Tell(end, false);
  }
}

// In a turn of the loop, never inside a call of it.
void Wire::Tell(int end, bool readable) {
  if (ends_[end].observer == nullptr) return;
  ends_[end].loop->OnReady([wire = shared_from_this(), end, readable] {
    transport::ByteStreamObserver* const observer = wire->ends_[end].observer;
    if (observer == nullptr) return;
    readable ? observer->OnReadable() : observer->OnWritable();
  });
}

}  // namespace weir::testing
