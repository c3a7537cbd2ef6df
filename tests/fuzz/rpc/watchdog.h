// Watchdog: ends an input that takes too long, in a simulation of time.
//
// libFuzzer's own handler of SIGALRM asks for the time, gets the simulation's, and takes any input for one that hangs.
// Its timer is real (every -timeout / 2 + 1 seconds), so here the alarms of an input are counted.
#pragma once

#include <csignal>

#include "weir/tests/fuzz/input.h"

namespace weir::testing {

class Watchdog {
 public:
  // An input begins.
  Watchdog() {
    alarms_ = 0;
    std::signal(SIGALRM, &Watchdog::OnAlarm);
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  static constexpr int kAlarmsMax = 2;  // the first may come at once

  static void OnAlarm(int) {
    alarms_ = alarms_ + 1;
    Require(alarms_ <= kAlarmsMax, "an input ends within the -timeout");
  }

  static inline volatile std::sig_atomic_t alarms_ = 0;
};

}  // namespace weir::testing
