// EndOfTurnList: the EndOfTurn work of one loop, for implementations of EventLoop. First asked, first run.
#pragma once

#include "weir/transport/io/event_loop.h"

namespace weir::transport {

class EndOfTurnList {
 public:
  EndOfTurnList();
  ~EndOfTurnList();  // forgets what is left
  EndOfTurnList(const EndOfTurnList&) = delete;
  EndOfTurnList& operator=(const EndOfTurnList&) = delete;

  void Add(EndOfTurn* work);  // no-op if it waits already
  bool empty() const { return head_.next_ == &head_; }

  // Runs everything, and what is added meanwhile in further passes, at most `kPassesMax` in all so that two that keep
  // asking each other cannot stop the loop. What is then left waits for the next turn.
  void RunAll();

  static constexpr int kPassesMax = 4;

 private:
  class Sentinel final : public EndOfTurn {
   public:
    void OnEndOfTurn() override {}
  };

  void RunOnePass();

  Sentinel head_;  // of a ring
};

}  // namespace weir::transport
