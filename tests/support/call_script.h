// CallScript: a test of calls as a script: what the peer sends in frame text, what handlers and callers saw, and what
// was written. The real connection, multiplexer, calls and coroutines run on a FakeLoop over a stream in memory.
//
//   ServerScript script;                                       // client_script.h has the other side
//   script.Unary(Echo)
//       .Peer(Request(1, "Unary"))
//       .Peer(Data(1, Message("hello"), "END_STREAM"))
//       .ExpectWritten({"HEADERS 1 :status=200 ...", Data(1, Message("hello")), "HEADERS 1 END_STREAM grpc-status=0"})
//       .ExpectNothingLeft()
//       .Run();
//
// Run() plays the script several times, each time in a new world: the peer's bytes whole, byte by byte, and cut at
// seeded places. The expectations are the same each time; therefore WINDOW_UPDATE is not among the lines of
// ExpectWritten, but summed up for ExpectReturned, and neighbouring DATA frames of one stream are taken as one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "weir/rpc/core/resumption.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/tests/support/frame_script.h"
#include "weir/tests/support/manual_clock.h"
#include "weir/transport/h2/frame_text.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/memory_stream.h"

namespace weir::testing {

// ---- frame text for calls of tests/benchmark/bench.proto ------------------------------------------------------------

// A bench.Payload with this body, envelope included.
std::string Message(std::string_view body);
// The five bytes alone, and then `payload`.
std::string Envelope(uint8_t flag, uint32_t length, std::string_view payload = {});
// "DATA 1 END_STREAM "...""
std::string Data(int stream_id, std::string_view bytes, std::string_view flags = "");
// The head of a request for bench.Echo's `method`; `fields` are more header fields, `flags` as "END_STREAM".
std::string Request(int stream_id, std::string_view method, std::string_view fields = "", std::string_view flags = "");
// What a server answers: head, and trailers of a status.
std::string ResponseHead(int stream_id, std::string_view fields = "");
std::string Trailers(int stream_id, std::string_view fields = "grpc-status=0");

// "OK", or code and text as one line; without the method, target and peer with which a client's own texts begin, which
// are the same in every script.
std::string Line(const absl::Status& status);

// ---- the world ------------------------------------------------------------------------------------------------------

// Something coroutines of a test can wait for, and may be destroyed while they do. Stays set.
class Signal {
 public:
  class Awaiter {
   public:
    explicit Awaiter(Signal& signal) : signal_(signal) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() {
      if (waiter_) std::erase_if(signal_.waiters_, [this](const Resumption& r) { return r.handle() == waiter_; });
    }
    bool await_ready() const { return signal_.set_; }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiter_ = waiter;
      signal_.waiters_.emplace_back(waiter);
    }
    void await_resume() const {}

   private:
    Signal& signal_;
    std::coroutine_handle<> waiter_;
  };
  Awaiter operator co_await() { return Awaiter(*this); }
  void Set();

 private:
  bool set_ = false;
  std::vector<Resumption> waiters_;
};

// The stream that the connection under test writes to: counts writes, and can be lost.
class CountedStream final : public transport::ByteStream {
 public:
  explicit CountedStream(std::unique_ptr<transport::MemoryStream> stream, size_t* writes)
      : stream_(std::move(stream)), writes_(writes) {}

  absl::Status Start(transport::ByteStreamObserver* observer) override { return stream_->Start(observer); }
  transport::IoResult Read(std::span<char> buffer) override { return stream_->Read(buffer); }
  transport::IoResult Write(std::span<const std::string_view> pieces) override;
  void ShutdownWrite() override { stream_->ShutdownWrite(); }
  std::string PeerName() const override { return "peer"; }
  std::string LocalName() const override { return "local"; }
  transport::MemoryStream& stream() { return *stream_; }

 private:
  const std::unique_ptr<transport::MemoryStream> stream_;
  size_t* const writes_;
};

// One play of a script: loop, both ends of the stream, and what has been seen so far.
class CallWorld {
 public:
  // The role is that of the side under test.
  explicit CallWorld(transport::Role role);
  virtual ~CallWorld();

  FakeLoop& loop() { return loop_; }
  void Log(std::string line) { log_.push_back(std::move(line)); }
  Signal& signal(const std::string& name) { return signals_[name]; }

  // Runs `work` on the loop, and all that follows from it.
  void OnLoop(std::function<void()> work);
  void Receive(std::string_view bytes, Cuts* cuts);
  // The same, but the loop is busy for so long that it reads the bytes `by` later, before the timers that are due by
  // then.
  void ReceiveLate(std::string_view bytes, std::chrono::nanoseconds by);
  void CloseFromPeer();
  void Lose(absl::Status error);

  std::vector<std::string> TakeLog() { return std::exchange(log_, {}); }
  std::vector<std::string> TakeWritten();
  // Sum of WINDOW_UPDATE increments since the last call.
  int64_t TakeReturned(int stream_id);
  void DropWritten();
  size_t TakeWrites() { return std::exchange(writes_, 0); }

  // The side under test. Its own part of "nothing is left" is a list of what is, one line each.
  virtual void Start() = 0;
  virtual std::vector<std::string> Leftovers() const = 0;

 protected:
  // The stream for the connection under test; once.
  std::unique_ptr<transport::ByteStream> TakeStream() { return std::move(local_); }
  void SetAllSignals();

  ManualClock clock_;
  FakeLoop loop_;

 private:
  void ReadWritten();

  std::unique_ptr<CountedStream> local_;
  transport::MemoryStream* local_memory_ = nullptr;
  std::unique_ptr<transport::MemoryStream> peer_;
  transport::FrameTextDecoder decoder_;
  std::vector<std::string> written_;
  std::map<int, int64_t> returned_;
  std::map<std::string, Signal> signals_;
  std::vector<std::string> log_;
  size_t writes_ = 0;
};

// ---- the script -----------------------------------------------------------------------------------------------------

using Lines = std::vector<std::string>;

// Fails the test unless both lists are the same; an expected line that ends in "..." stands for all that begin so.
void ExpectLines(const Lines& expected, const Lines& got);

// Steps over a World; Self is the class that derives from this, so that every method returns it.
template <class Self, class World>
class CallScript {
 public:
  CallScript(const CallScript&) = delete;
  CallScript& operator=(const CallScript&) = delete;

  // The peer sends these frames.
  Self& Peer(const std::string& frames) {
    return Add("peer: " + frames, [bytes = Frames(frames)](World& w, Cuts* cuts) { w.Receive(bytes, cuts); });
  }
  // The same, as bytes: half a frame, or no frame at all.
  Self& PeerBytes(const std::string& bytes) {
    return Add("peer sends bytes", [bytes](World& w, Cuts* cuts) { w.Receive(bytes, cuts); });
  }
  // The peer sends these frames, and they are read so late that timers should have fired before.
  Self& PeerLate(const std::string& frames, std::chrono::nanoseconds by) {
    return Add("peer, late: " + frames, [bytes = Frames(frames), by](World& w, Cuts*) { w.ReceiveLate(bytes, by); });
  }
  // The peer closes its half in good order.
  Self& PeerCloses() {
    return Add("peer closes", [](World& w, Cuts*) { w.CloseFromPeer(); });
  }
  // The connection breaks, as by a reset from the network.
  Self& Lose() {
    return Add("lose", [](World& w, Cuts*) { w.Lose(absl::UnavailableError("read: Connection reset by peer")); });
  }
  Self& Advance(std::chrono::nanoseconds by) {
    return Add("advance", [by](World& w, Cuts*) { w.loop().Advance(by); });
  }
  Self& Set(const std::string& signal) {
    return Add("set " + signal, [signal](World& w, Cuts*) { w.OnLoop([&w, &signal] { w.signal(signal).Set(); }); });
  }
  Self& Do(std::function<void(World&)> action) {
    return Add("do", [action = std::move(action)](World& w, Cuts*) { w.OnLoop([&] { action(w); }); });
  }

  Self& ExpectWritten(Lines lines) {
    return Add("expect written", [lines = std::move(lines)](World& w, Cuts*) { ExpectLines(lines, w.TakeWritten()); });
  }
  // Among others, and last.
  Self& ExpectLastWritten(const std::string& line) {
    return Add("expect last written", [line](World& w, Cuts*) {
      Lines written = w.TakeWritten();
      if (written.size() > 1) written.erase(written.begin(), written.end() - 1);
      ExpectLines({line}, written);
    });
  }
  Self& ExpectLog(Lines lines) {
    return Add("expect log", [lines = std::move(lines)](World& w, Cuts*) { ExpectLines(lines, w.TakeLog()); });
  }
  // What was given back to the peer's window of a stream (0: the connection) since the last time.
  Self& ExpectReturned(int stream_id, int64_t bytes) {
    return Add("expect returned", [stream_id, bytes](World& w, Cuts*) {
      ExpectLines({std::to_string(bytes)}, {std::to_string(w.TakeReturned(stream_id))});
    });
  }
  // Writes to the socket since the last time.
  Self& ExpectWrites(size_t writes) {
    return Add("expect writes",
               [writes](World& w, Cuts*) { ExpectLines({std::to_string(writes)}, {std::to_string(w.TakeWrites())}); });
  }
  Self& Drop() {
    return Add("drop", [](World& w, Cuts*) {
      w.DropWritten();
      w.TakeLog();
    });
  }
  // No call, stream, timer, posted work or byte is held.
  Self& ExpectNothingLeft() {
    return Add("expect nothing left", [](World& w, Cuts*) { ExpectLines({}, w.Leftovers()); });
  }
  Self& ExpectLeft(Lines lines) {
    return Add("expect left", [lines = std::move(lines)](World& w, Cuts*) { ExpectLines(lines, w.Leftovers()); });
  }

  void Run() {
    for (Cuts cuts : Cuts::All()) {
      if (!RunOnce(cuts)) return;
    }
  }

 protected:
  CallScript() = default;
  ~CallScript() = default;

  struct Step {
    std::string name;
    std::function<void(World&, Cuts*)> run;
  };
  Self& Add(std::string name, std::function<void(World&, Cuts*)> run) {
    steps_.push_back({std::move(name), std::move(run)});
    return static_cast<Self&>(*this);
  }

 private:
  bool RunOnce(Cuts cuts);

  std::vector<Step> steps_;
};

// False once the test has failed: one report is enough.
bool PlayStep(const std::string& where, const std::function<void()>& step);

template <class Self, class World>
bool CallScript<Self, World>::RunOnce(Cuts cuts) {
  std::unique_ptr<World> world = static_cast<Self&>(*this).MakeWorld();
  for (size_t i = 0; i < steps_.size(); ++i) {
    const std::string where =
        "input " + cuts.ToString() + ", step " + std::to_string(i + 1) + ": " + steps_[i].name.substr(0, 200);
    if (!PlayStep(where, [&] { steps_[i].run(*world, &cuts); })) return false;
  }
  return true;
}

}  // namespace weir::testing
