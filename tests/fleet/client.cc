// client: calls a fleet through one channel until its standard input ends, and prints what became of the calls
// (journal.h).
//
//   client --target=ipv4:127.0.0.2:50051,127.0.0.3:50051 --policy=round_robin --rate=500
//   client --target=file:/tmp/addresses --policy=round_robin --concurrency=64          # as many as go through
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/time/time.h"
#include "tests/benchmark/bench.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/tests/fleet/journal.h"

ABSL_FLAG(std::string, target, "", "of the channel");
ABSL_FLAG(std::string, policy, "round_robin", "of load balancing");
ABSL_FLAG(int, rate, 500, "calls a second, whether those before them have been answered or not; 0: see concurrency");
ABSL_FLAG(int, concurrency, 64, "without rate: calls at a time, each begun when one has ended");
ABSL_FLAG(absl::Duration, timeout, absl::InfiniteDuration(), "of a call");
ABSL_FLAG(bool, wait_for_ready, false, "calls wait for a server");
ABSL_FLAG(std::string, service_config, "", "JSON");
ABSL_FLAG(absl::Duration, keepalive_time, absl::InfiniteDuration(), "from the last byte to a PING");
ABSL_FLAG(absl::Duration, keepalive_timeout, absl::Seconds(20), "from a PING to its answer");
ABSL_FLAG(absl::Duration, dns_pause, absl::Seconds(30), "ChannelOptions::dns_pause");
ABSL_FLAG(absl::Duration, dns_refresh, absl::InfiniteDuration(), "ChannelOptions::dns_refresh");

namespace {

using fleet::Journal;
using Clock = Journal::Clock;

constexpr std::chrono::milliseconds kTick(20);
constexpr std::chrono::seconds kPatience(20);  // for calls that are under way at the end

class Load {
 public:
  Load(weir::Channel& channel, weir::CallOptions options) : channel_(channel), client_(channel), options_(options) {}

  // From any thread; the calls are made on the channel's loop.
  void Call(int calls) {
    running_ += calls;
    channel_.Run(Begin(*this, calls, /*again=*/false));
  }
  void CallAgainAndAgain(int at_a_time) {
    running_ += at_a_time;
    channel_.Run(Begin(*this, at_a_time, /*again=*/true));
  }
  void Stop() { stopped_ = true; }
  bool is_done() const { return running_ == 0; }
  Journal& journal() { return journal_; }

 private:
  static weir::Task<void> Begin(Load& load, int calls, bool again) {
    for (int i = 0; i < calls; ++i) weir::Spawn(CallOne(load, again));
    co_return;
  }

  static weir::Task<void> CallOne(Load& load, bool again) {
    bench::Payload request;
    request.set_body("0123456789abcdef");
    do {
      const Clock::time_point start = Clock::now();
      auto call = load.client_.Unary(request, load.options_);
      const absl::StatusOr<bench::Payload> answer = co_await call;
      if (answer.ok()) {
        load.journal_.Answered(answer->body(), start, Clock::now());
      } else {
        load.journal_.Failed(start, Clock::now(), answer.status());
      }
    } while (again && !load.stopped_);
    --load.running_;
  }

  weir::Channel& channel_;
  bench::EchoClient client_;
  const weir::CallOptions options_;
  Journal journal_;
  std::atomic<int> running_ = 0;
  std::atomic<bool> stopped_ = false;
};

// Waits for a tick. False: standard input has ended.
bool InputIsOpen(std::chrono::milliseconds tick) {
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  if (::poll(&input, 1, static_cast<int>(tick.count())) == 0) return true;
  char ignored[64];
  return ::read(STDIN_FILENO, ignored, sizeof(ignored)) > 0;
}

// Until standard input ends.
void Call(Load& load, int rate, int concurrency) {
  if (rate == 0) load.CallAgainAndAgain(concurrency);
  const Clock::time_point begin = Clock::now();
  int64_t made = 0;
  while (InputIsOpen(kTick)) {
    const auto due =
        static_cast<int64_t>(std::chrono::duration<double>(Clock::now() - begin).count() * static_cast<double>(rate));
    if (due > made) load.Call(static_cast<int>(due - made));
    made = std::max(made, due);
    load.journal().Print();
  }
}

weir::ChannelOptions Options() {
  weir::ChannelOptions options;
  options.load_balancing = {.policy = absl::GetFlag(FLAGS_policy), .config = {}};
  options.default_timeout = absl::GetFlag(FLAGS_timeout);
  options.connection.keepalive.time = absl::GetFlag(FLAGS_keepalive_time);
  options.connection.keepalive.timeout = absl::GetFlag(FLAGS_keepalive_timeout);
  options.dns_pause = absl::GetFlag(FLAGS_dns_pause);
  options.dns_refresh = absl::GetFlag(FLAGS_dns_refresh);
  const std::string config = absl::GetFlag(FLAGS_service_config);
  if (!config.empty()) options.service_config = weir::ParseServiceConfig(config);
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  weir::Channel channel(absl::GetFlag(FLAGS_target), weir::InsecureChannelCredentials(), Options());
  Load load(channel, weir::CallOptions().WaitForReady(absl::GetFlag(FLAGS_wait_for_ready)));
  Call(load, absl::GetFlag(FLAGS_rate), absl::GetFlag(FLAGS_concurrency));
  load.Stop();
  const Clock::time_point give_up = Clock::now() + kPatience;
  while (!load.is_done() && Clock::now() < give_up) std::this_thread::sleep_for(kTick);
  load.journal().PrintEnd();
  if (!load.is_done()) std::_Exit(1);  // calls that nobody waits for any longer still use what would be destroyed
  return 0;
}
