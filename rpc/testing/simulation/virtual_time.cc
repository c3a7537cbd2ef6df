#include "weir/testing/simulation/virtual_time.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace weir::testing {
namespace {

// 2026-01-01 00:00:00 UTC.
constexpr std::chrono::seconds kWallClockBegin(1'767'225'600);

constinit thread_local VirtualTime* current = nullptr;

int Answer(std::chrono::nanoseconds time, timespec* result) {
  result->tv_sec = time.count() / 1'000'000'000;
  result->tv_nsec = time.count() % 1'000'000'000;
  return 0;
}

int ClockGetTime(clockid_t clock, timespec* result) {
  if (current != nullptr) {
    switch (clock) {
      case CLOCK_REALTIME:
      case CLOCK_REALTIME_COARSE:
        return Answer(current->WallClock(), result);
      case CLOCK_MONOTONIC:
      case CLOCK_MONOTONIC_COARSE:
      case CLOCK_MONOTONIC_RAW:
      case CLOCK_BOOTTIME:
        return Answer(current->Now().time_since_epoch(), result);
      default:
        break;
    }
  }
  return static_cast<int>(syscall(SYS_clock_gettime, clock, result));
}

}  // namespace

std::chrono::nanoseconds VirtualTime::WallClock() const { return kWallClockBegin + Elapsed() + wall_offset_; }

VirtualTime::Scope::Scope(VirtualTime& time) : previous_(current) { current = &time; }

VirtualTime::Scope::~Scope() { current = previous_; }

}  // namespace weir::testing

// These come before libc's and Abseil's in the order in which symbols are looked up. Abseil's clock reads the system's
// only now and then and adds what the CPU's cycle counter says.
extern "C" int clock_gettime(clockid_t clock, timespec* result) noexcept {
  return weir::testing::ClockGetTime(clock, result);
}

namespace absl {
ABSL_NAMESPACE_BEGIN

int64_t GetCurrentTimeNanos() {
  timespec now;
  weir::testing::ClockGetTime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Time Now() { return FromUnixNanos(GetCurrentTimeNanos()); }

ABSL_NAMESPACE_END
}  // namespace absl
