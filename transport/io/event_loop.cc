#include "weir/transport/io/event_loop.h"

#include <random>

#include "weir/transport/io/end_of_turn_list.h"
#include "weir/transport/io/run_callback.h"

namespace weir::transport {

uint64_t EventLoop::RandomSeed() { return std::random_device()(); }

void Timer::Set(MonotonicTime due) { loop_.ScheduleTimer(this, due); }

void Timer::Cancel() {
  if (IsSet()) loop_.CancelTimer(this);
}

EndOfTurn::~EndOfTurn() { Unlink(); }

void EndOfTurn::Unlink() {
  if (next_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  previous_ = next_ = nullptr;
}

EndOfTurnList::EndOfTurnList() { head_.previous_ = head_.next_ = &head_; }

EndOfTurnList::~EndOfTurnList() {
  while (!empty()) head_.next_->Unlink();
}

void EndOfTurnList::Add(EndOfTurn* work) {
  if (work->next_ != nullptr) return;
  work->previous_ = head_.previous_;
  work->next_ = &head_;
  head_.previous_->next_ = work;
  head_.previous_ = work;
}

void EndOfTurnList::RunAll() {
  for (int pass = 0; pass < kPassesMax && !empty(); ++pass) RunOnePass();
}

void EndOfTurnList::RunOnePass() {
  Sentinel pass;  // takes over the ring as it is now, so that new work goes to the next pass
  pass.next_ = head_.next_;
  pass.previous_ = head_.previous_;
  pass.next_->previous_ = pass.previous_->next_ = &pass;
  head_.previous_ = head_.next_ = &head_;
  while (pass.next_ != &pass) {
    EndOfTurn* work = pass.next_;
    work->Unlink();
    RunCallback([work] { work->OnEndOfTurn(); });  // may destroy any of them, this one too
  }
}

}  // namespace weir::transport
