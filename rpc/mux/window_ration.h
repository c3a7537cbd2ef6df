// WindowRation: what a connection does with its peer's windows while memory is short.
//
//   Begin (beyond a soft ceiling) --> every stream's window is announced as 64 KiB at most, and of those that hold a
//                                     part of a message only one at a time gets window for the rest of it, if the
//                                     application waits for it
//   End (down to half of it)      --> all get what was withheld; the windows grow again
//
// So messages become whole, and go, one after the other, instead of all growing until a hard ceiling ends the
// connection. By what it sends, a peer that keeps to its windows never gets there if the two ceilings are as far apart
// as one message and 64 KiB for each stream. Streams whose messages are read as they come, and are no larger than half
// of that, do not notice.
//
// There is one only while memory is short. Time is an argument.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>

#include "weir/rpc/mux/memory_account.h"
#include "weir/transport/h2/connection.h"

namespace weir::mux {

class WindowRation {
 public:
  // What HTTP/2 begins with (RFC 9113 section 6.9.2), which every peer works well enough with.
  static constexpr uint32_t kStreamWindowBytes = 65'535;
  // A stream that sends too little in this time to get window back, when it is its turn, lets the next one have it. As
  // often it is looked whether memory is still short: what other connections have let go causes no event on this one.
  static constexpr std::chrono::seconds kPatience{2};
  // How long windows stay small at least: each change is a SETTINGS frame, for which peers have budgets.
  static constexpr std::chrono::seconds kNarrowTime{10};

  // A client that takes none of its answers for so long does not take them.
  static constexpr std::chrono::seconds kStuckTime{20};

  WindowRation(transport::H2Connection& connection, const MemoryAccount& memory);
  WindowRation(const WindowRation&) = delete;
  WindowRation& operator=(const WindowRation&) = delete;

  // Begins, ends, and gives the next stream its turn. To be called when the account has changed, and when it is due; at
  // the top of the loop's stack.
  void Update(transport::MonotonicTime now);
  transport::MonotonicTime due() const { return due_; }
  // When it was due last, the peer had taken nothing of its answers for kStuckTime.
  bool is_stuck() const { return stuck_; }
  // Nothing is withheld, and the windows are as large as before.
  bool is_over() const { return !short_ && !narrow_; }

  // `bytes` are due of a stream that holds a part of a message, for which the application waits if it is `awaited`.
  // True: they have been returned to the connection's window, and the stream's stays shut.
  bool Withhold(transport::StreamId id, size_t bytes, bool awaited);
  // Now the application waits. Only such streams get a turn: others' messages would stay here when they are whole.
  void OnAwaited(transport::StreamId id);
  // A message of the stream has been taken. What is withheld is that one's, but for at most the part of the next that
  // has come behind it: the stream gets it back, and no stream holds more than two windows because of that.
  void OnTaken(transport::StreamId id);
  void OnRemoved(transport::StreamId id) noexcept;
  // We keep its window shut: it is not the peer's fault that nothing comes.
  bool IsShut(transport::StreamId id) const;

 private:
  struct Share {
    size_t bytes = 0;  // that were returned to the connection's window only
    bool awaited = false;
  };
  using Withheld = std::map<transport::StreamId, Share>;  // in order: it decides what the peer sees

  void TakeTurns(transport::MonotonicTime now);
  Withheld::iterator NextTurn();
  void Reopen(Withheld::iterator stream);
  void ReopenAll();
  void Resize(transport::MonotonicTime now);

  transport::H2Connection& connection_;
  const MemoryAccount& memory_;
  Withheld withheld_;
  transport::StreamId turn_ = 0;       // 0: nobody's
  transport::StreamId last_turn_ = 0;  // whose it was before
  bool moved_ = false;                 // something has come on the stream whose turn it is
  bool short_ = false;
  bool narrow_ = false;
  bool stuck_ = false;
  uint64_t taken_before_ = 0;  // bytes of answers
  transport::MonotonicTime taken_at_{};
  transport::MonotonicTime turn_due_{};
  transport::MonotonicTime widen_due_{};
  transport::MonotonicTime due_ = transport::MonotonicTime::max();
};

}  // namespace weir::mux
