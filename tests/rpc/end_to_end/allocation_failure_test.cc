// The n-th allocation of a call over real sockets fails, for every n, on whichever loop it is: TLS handshake, HTTP/2,
// both sides of the call. What is promised (rpc/README.md, "Out of memory"): the process lives, the call ends, the next
// one works. tests/sim/allocation_failure_test does this for all kinds of calls without sockets, and counts what leaks.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <new>
#include <string>

#include "weir/tests/rpc/end_to_end/harness.h"
#include "weir/transport/io/executor.h"

namespace {

// Allocations on loops until the one that fails; 0: none does. Other threads are the application's, which meets its own
// failures itself.
constinit std::atomic<size_t> fails_in = 0;

void* Allocate(size_t size) {
  const bool on_loop = weir::transport::Executor::Current() != nullptr;
  if (on_loop && fails_in.load(std::memory_order_relaxed) != 0 && fails_in.fetch_sub(1) == 1) throw std::bad_alloc();
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

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kStep = 7;  // of a process that is slow to begin, not every one
#elif defined(__has_feature)
constexpr size_t kStep = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ? 7 : 1;
#else
constexpr size_t kStep = 1;
#endif

enum Exit { kAsPromised, kNotReached, kNextCallFails };

bool Echoes(bench::EchoClient& client) {
  auto call = client.BidiEcho(CallOptions().WaitForReady().Timeout(absl::Seconds(20)));
  const bench::Payload large = Body(std::string(100'000, 'x'));
  for (int i = 0; i < 3; ++i) {
    if (!call.Write(large).Wait()) break;
    if (!call.Read().Wait().has_value()) break;
  }
  call.WritesDone();
  return call.Finish().Wait().ok();
}

// In a process of its own.
Exit CallWithoutMemory(Over over, size_t number) {
  EchoServer server(over, EchoServer::Threads(1));
  ChannelOptions options;
  options.backoff_initial = absl::Milliseconds(1);
  options.backoff_max = absl::Milliseconds(10);
  options.connect_timeout = absl::Seconds(1);  // a connection that was lost half made is not missed before
  std::unique_ptr<Channel> channel = server.MakeChannel(options);
  bench::EchoClient client(*channel);
  fails_in = number;
  try {
    Echoes(client);
  } catch (const std::bad_alloc&) {
    // The thread that waits turns loops.
  }
  const bool reached = fails_in.exchange(0) == 0;
  if (!reached) return kNotReached;
  return Echoes(client) ? kAsPromised : kNextCallFails;
}

class AllocationFailureTest : public OverTest {};

TEST_P(AllocationFailureTest, CostsACallOrAConnectionAndNothingElse) {
  TheAuthority();
  std::string broken;
  const char* const only = getenv("WEIR_FAILING_ALLOCATION");
  int beyond = 0;  // how many there are differs by a few, with the order of things on threads
  for (size_t number = only == nullptr ? 1 : std::strtoul(only, nullptr, 10); beyond < 5; number += kStep) {
    const pid_t child = fork();  // this program has one thread
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(60);
      _exit(CallWithoutMemory(GetParam(), number));
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status)) {
      broken += "allocation " + std::to_string(number) + ": signal " + std::to_string(WTERMSIG(status)) + "\n";
    } else if (WEXITSTATUS(status) == kNotReached) {
      ++beyond;
    } else if (WEXITSTATUS(status) != kAsPromised) {
      broken += "allocation " + std::to_string(number) + ": the next call failed\n";
    }
    if (only != nullptr) break;
  }
  EXPECT_EQ(broken, "") << "to see one of them: --test_env=WEIR_FAILING_ALLOCATION=n";
}

INSTANTIATE_TEST_SUITE_P(Over, AllocationFailureTest, ::testing::Values(Over::kTcp, Over::kTls), OverTest::Name);

}  // namespace
}  // namespace weir::testing
