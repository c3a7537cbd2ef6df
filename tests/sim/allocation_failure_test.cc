// The n-th allocation of a whole call fails, for every n: connecting, the call, its end. Both sides are in this process,
// so it meets both. What is promised (rpc/README.md, "Out of memory"): the process lives, the call ends exactly once,
// the next one works, and nothing is left behind.
//
// Memory of the engine and of our pools comes from operator new, too. Under AddressSanitizer nothing is pooled, so that
// every allocation is one, and what leaks is found.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <string>

#include "gtest/gtest.h"
#include "weir/testing/simulation.h"
#include "weir/tests/sim/calls.h"
#include "weir/transport/io/executor.h"

#if defined(__SANITIZE_ADDRESS__)
#define WEIR_FINDS_LEAKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_FINDS_LEAKS 1
#endif
#endif
#if defined(WEIR_FINDS_LEAKS)
#include <sanitizer/lsan_interface.h>
#endif

namespace {

// Allocations until the one that fails; 0: none does.
constinit size_t fails_in = 0;

void* Allocate(size_t size) {
  const bool in_process = weir::transport::Executor::Current() != nullptr;  // or of the simulated world
  if (in_process && fails_in != 0 && --fails_in == 0) throw std::bad_alloc();
  void* const memory = malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }

namespace weir::testing {
namespace {

enum Exit { kAsPromised, kNotReached, kNeverEnds, kHandlerStays, kNextCallFails, kLeaks, kBroken };
constexpr const char* kExitText[] = {"as promised",
                                     "no such allocation",
                                     "the call never ended",
                                     "a handler runs for ever",
                                     "the next call failed",
                                     "memory leaked",
                                     "an invariant was broken; or timers, connections or posted work were left"};

// What a program does that wants to survive: it counts an exception as the end of its call.
Task<void> Survive(CallRecord& record, Task<void> call) {
  try {
    co_await std::move(call);
  } catch (const std::bad_alloc&) {
    record.cancel = nullptr;
    record.ends = 1;
    record.status = absl::ResourceExhaustedError("thrown to the caller");
  }
}

CallRecord& Plan(Ledger& ledger, CallKind kind) {
  CallRecord& record = ledger.Add();
  record.kind = kind;
  record.messages = 3;
  record.message_bytes = 90'000;  // more than a window of 256 KiB in all: writers wait
  record.timeout = absl::Seconds(10);
  return record;
}

Exit CallsOf(Simulation& simulation, Ledger& ledger, CallKind kind, size_t number) {
  auto& service = simulation.Make<LedgerService>(ledger);
  Channel& channel = simulation.Connect("client", simulation.Serve("server", service));
  CallRecord& first = Plan(ledger, kind);
  CallRecord& second = Plan(ledger, kind);
  HoldAlways(simulation, simulation.loop("client"), ledger);
  fails_in = number;
  try {
    channel.Run(Survive(first, MakeCall(simulation, simulation.loop("client"), channel, first)));
  } catch (const std::bad_alloc&) {
    first.ends = 1;
  }
  const bool ended = simulation.RunUntil([&] { return first.ends > 0; }, absl::Seconds(11));
  simulation.RunFor(absl::Minutes(3));  // longer than any back-off
  const bool reached = fails_in == 0;
  fails_in = 0;
  if (!ended) return kNeverEnds;
  if (ledger.handlers_running() != 0) return kHandlerStays;
  channel.Run(Survive(second, MakeCall(simulation, simulation.loop("client"), channel, second)));
  simulation.RunFor(absl::Seconds(11));
  if (second.ends != 1 || !second.status.ok()) return kNextCallFails;
  return reached ? kAsPromised : kNotReached;
}

// In a process of its own.
Exit CallWithoutMemory(CallKind kind, size_t number) noexcept {
  Exit exit = kAsPromised;
  {
    Ledger ledger;
    Simulation simulation({.seed = 1});
    exit = CallsOf(simulation, ledger, kind, number);
  }
  if (exit == kAsPromised && ::testing::Test::HasFailure()) exit = kBroken;
#if defined(WEIR_FINDS_LEAKS)
  if (exit == kAsPromised && __lsan_do_recoverable_leak_check() != 0) exit = kLeaks;
#endif
  return exit;
}

class AllocationFailureTest : public ::testing::TestWithParam<CallKind> {};

TEST_P(AllocationFailureTest, CostsACallOrAConnectionAndNothingElse) {
  std::string broken;
  const char* const only = getenv("WEIR_FAILING_ALLOCATION");
  for (size_t number = only == nullptr ? 1 : std::strtoul(only, nullptr, 10);; ++number) {
    const pid_t child = fork();  // this program has one thread
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(60);
      _exit(CallWithoutMemory(GetParam(), number));
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    const int exit = WIFEXITED(status) ? std::min<int>(WEXITSTATUS(status), kBroken) : -1;
    if (exit == kNotReached) break;
    if (exit != kAsPromised) {
      broken += "allocation " + std::to_string(number) + ": " +
                (exit >= 0 ? kExitText[exit] : "the process ended, signal " + std::to_string(WTERMSIG(status))) + "\n";
    }
    if (only != nullptr) break;
  }
  EXPECT_EQ(broken, "") << "to see one of them: --test_env=WEIR_FAILING_ALLOCATION=n";
}

INSTANTIATE_TEST_SUITE_P(Kinds, AllocationFailureTest,
                         ::testing::Values(CallKind::kUnary, CallKind::kClientStream, CallKind::kServerStream,
                                           CallKind::kBidi));

}  // namespace
}  // namespace weir::testing
