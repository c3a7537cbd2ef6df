// Wire: one simulated connection: two ends on two loops, and a network between them that has delay and limits, and
// fails as it is told.
//
//   end 0 --Write--> [on its way, segments with times of arrival] --> [arrived] --Read--> end 1       and back
//
// Either end may go first, as may both: the network holds the wire until nothing is on its way.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/testing/simulation/agenda.h"
#include "weir/testing/simulation/event_log.h"
#include "weir/testing/simulation/frame_faults.h"
#include "weir/testing/simulation/random.h"
#include "weir/testing/simulation/simulated_loop.h"
#include "weir/transport/io/byte_stream.h"

namespace weir::testing {

struct WorldParts {
  VirtualTime& time;
  Agenda& agenda;
  EventLog& log;
};

class Wire final : public std::enable_shared_from_this<Wire> {
 public:
  // Direction 0 is what end 0 writes and end 1 reads.
  Wire(WorldParts world, SimulatedRandom random, std::string name, SimulatedLoop& loop0, SimulatedLoop& loop1);

  std::unique_ptr<transport::ByteStream> TakeEnd(int end);
  const std::string& name() const { return name_; }
  // Neither end is there any more, or both know that it has failed.
  bool over() const { return (ends_[0].gone && ends_[1].gone) || reset_; }
  size_t bytes_held() const;

  // ---- faults
  void Reset(std::string_view why);  // both ends; what was not read is lost
  void CutAt(int direction, uint64_t offset) { pipes_[direction].cut_at = offset; }  // octets of it since the beginning
  void CutAfter(int direction, uint64_t octets) { CutAt(direction, pipes_[direction].delivered + octets); }
  void HalfClose(int direction);  // the reader sees an end; what is written afterwards is lost
  void Stall(int direction, transport::MonotonicTime until) { pipes_[direction].stalled_until = until; }
  void SetDelay(std::chrono::nanoseconds delay) { delay_ = delay; }
  // End 0, the client, sees these SETTINGS in place of those that its server has sent. False: it has not sent any yet,
  // or the connection ends.
  bool ChangeSettings(const Settings& settings, const Settings& sent);
  void RestoreSettings();
  // The streams that are open; and: what flows in `direction` has a RST_STREAM of `stream` in it, which its writer did
  // not write.
  std::vector<uint32_t> open_streams() const;
  void ResetStream(int direction, uint32_t stream, uint32_t error_code);
  // Until then every other Read and Write of either end finds it busy (EAGAIN), though there is something to do; and it
  // is ready again at once.
  void MakeBusy(transport::MonotonicTime until) { busy_until_ = until; }
  // ENOBUFS: no Write of that end succeeds any more. The other end knows nothing of it.
  void FailWrites(int end) { pipes_[end].writes_fail = true; }
  // Not slow, stalled or in small pieces any more, and with the server's own SETTINGS.
  void Heal();
  // No Read or Write is of more than this; 0: as the sizes happen to be. For some thousands of them at most: so long
  // does it find what it can find, and a seed shall not take seconds.
  void Dribble(size_t bytes_max) {
    bytes_max_ = bytes_max;
    dribbles_left_ = kDribblesMax;
  }

 private:
  class End;
  struct Segment {
    transport::MonotonicTime arrival;
    std::string bytes;
    bool end = false;
  };
  struct Pipe {
    std::deque<Segment> under_way;
    size_t under_way_bytes = 0;
    std::string arrived;
    uint64_t delivered = 0;  // octets since the beginning
    std::optional<uint64_t> cut_at;
    transport::MonotonicTime stalled_until{};
    bool write_ended = false;  // by the writer
    bool swallowed = false;    // half-closed by the network
    bool end_arrived = false;
    bool writer_waits = false;
    bool writes_fail = false;
    bool writer_pauses = false;  // the next Write takes nothing, as if the buffer were full
  };
  struct EndState {
    SimulatedLoop* loop = nullptr;
    transport::ByteStreamObserver* observer = nullptr;
    bool gone = false;
  };

  transport::IoResult Read(int end, std::span<char> buffer);
  transport::IoResult Write(int end, std::span<const std::string_view> pieces);
  void ShutdownWrite(int end);
  void Close(int end);
  void Send(int direction, Segment segment);
  void Arrive(int direction);
  void Tell(int end, bool readable);
  size_t SomeOf(size_t bytes);
  bool IsBusy() { return busy_until_ > world_.time.Now() && random_.OneIn(2); }
  void Inject(int direction);
  // As an address with its port: of one connection alone.
  std::string NameOf(int end) const { return ends_[end].loop->name() + ":" + name_; }

  const WorldParts world_;
  SimulatedRandom random_;
  const std::string name_;
  std::array<EndState, 2> ends_;
  std::array<Pipe, 2> pipes_;
  FrameFaults frames_;
  std::optional<Settings> settings_sent_;  // to be restored
  bool reset_ = false;
  static constexpr int kDribblesMax = 5000;
  transport::MonotonicTime busy_until_{};
  size_t bytes_max_ = 0;
  int dribbles_left_ = 0;
  std::chrono::nanoseconds delay_;
};

}  // namespace weir::testing
