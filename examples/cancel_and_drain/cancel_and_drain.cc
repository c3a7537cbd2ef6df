// Two things that happen to calls, shown with the frames that do it: a client cancels, and a server is replaced.
//
//   bazel run //examples/cancel_and_drain
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "examples/cancel_and_drain/counter.weir.pb.h"
#include "examples/screen/screen.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"

namespace counter {
namespace {

using screen::Say;

class Adder final : public CounterService {
 public:
  explicit Adder(std::string server) : server_(std::move(server)) {}

  weir::Task<absl::Status> Add(weir::ServerContext& context, weir::Reader<Number>& in,
                               weir::Writer<Sum>& out) override {
    Sum sum;
    sum.set_server(server_);
    while (std::optional<Number> number = co_await in.Read()) {
      sum.set_value(sum.value() + number->value());
      if (!co_await out.Write(sum)) break;
    }
    // Whatever the handler was waiting for has ended. There is nothing to poll and nothing to clean up.
    if (context.IsCancelled()) {
      Say(absl::StrCat("   handler: nobody waits for my sum of ", sum.value(), " any more. I stop."));
      cancelled_.set_value();  // the demonstration cancels one call
    }
    co_return absl::OkStatus();
  }

  void WaitUntilCancelled() { cancelled_.get_future().wait(); }

 private:
  const std::string server_;
  std::promise<void> cancelled_;
};

// Sends a number and waits for the sum.
void AddAndShow(weir::BidiCall<Number, Sum>& call, int64_t value) {
  Number number;
  number.set_value(value);
  call.Write(number).Wait();
  if (std::optional<Sum> sum = call.Read().Wait()) {
    Say(absl::StrCat("   answer: ", sum->value(), ", from the ", sum->server(), " server"));
  } else {
    Say(absl::StrCat("   no answer: ", call.Finish().Wait().ToString()));
  }
}

void ShowCancellation(CounterClient& counter, Adder& handler) {
  Say("1. A client cancels");
  Say("   The client begins a call, and sends 20. Stream 1 is the call.");
  auto call = counter.Add();
  AddAndShow(call, 20);
  Say("   The client changes its mind: call.Cancel(). To drop the call object would do, too.");
  call.Cancel();
  screen::WaitForFrame({"RST_STREAM 1 CANCEL"});
  handler.WaitUntilCancelled();
  Say(absl::StrCat("   client: the status of the call is ", call.Finish().Wait().ToString()));
}

// The old server stops listening when it begins to drain, which is a matter of microseconds.
absl::Status ListenWhereTheOldOneDid(weir::Server& server, const std::string& address) {
  const absl::Time give_up = absl::Now() + absl::Seconds(5);
  absl::Status status = server.Listen(address, weir::InsecureServerCredentials());
  while (!status.ok() && absl::Now() < give_up) {
    std::this_thread::yield();
    status = server.Listen(address, weir::InsecureServerCredentials());
  }
  return status;
}

absl::Status ShowDraining(CounterClient& counter, weir::Server& old_server, const std::string& address) {
  Say("");
  Say("2. A server is replaced, and no call is lost");
  Say("   The client begins a call, and sends 1. It is stream 3 of the same connection.");
  auto survivor = counter.Add();
  AddAndShow(survivor, 1);

  Say("   The old server drains: it listens no more, and asks its clients to take new calls elsewhere. First without "
      "a");
  Say("   last stream, because calls may be on their way; when the PING is back, it names the last one that it "
      "serves.");
  std::future<absl::Status> drained =
      std::async(std::launch::async, [&old_server] { return old_server.Drain(absl::Seconds(10)); });
  screen::WaitForFrame({"GOAWAY last=3"});

  Adder replacement_adder("new");
  weir::Server replacement;
  replacement.AddService(replacement_adder);
  absl::Status listening = ListenWhereTheOldOneDid(replacement, address);
  if (!listening.ok()) return listening;
  Say("   A new server listens at the same address. A new call of the same client goes there, on connection c2:");
  auto newcomer = counter.Add();
  AddAndShow(newcomer, 100);

  Say("   The call on the old server goes on as if nothing had happened. It is told to add 2:");
  AddAndShow(survivor, 2);
  Say("   Both calls end when their client says so.");
  absl::Status status = survivor.Finish().Wait();
  Say(absl::StrCat("   old call: ", status.ToString()));
  if (!status.ok()) return status;
  status = newcomer.Finish().Wait();
  Say(absl::StrCat("   new call: ", status.ToString()));
  if (!status.ok()) return status;
  status = drained.get();
  Say(absl::StrCat("   old server: drained, ", status.ToString()));
  Say("   The program ends, and with it the new server.");
  return status;
}

absl::Status Show() {
  Adder adder("old");
  weir::Server server;
  server.AddService(adder);
  absl::Status listening = server.Listen("127.0.0.1:0", weir::InsecureServerCredentials());
  if (!listening.ok()) return listening;
  const std::string address = absl::StrCat("127.0.0.1:", server.port());
  weir::Channel channel(address, weir::InsecureChannelCredentials());
  CounterClient counter(channel);

  Say("Lines with a > or < are HTTP/2 frames that the client sent or received: connection, frame, stream, contents.");
  Say("");
  ShowCancellation(counter, adder);
  return ShowDraining(counter, server, address);
}

}  // namespace
}  // namespace counter

int main() {
  screen::Begin();
  const absl::Status status = counter::Show();
  if (!status.ok()) screen::Say(absl::StrCat("FAILED: ", status.ToString()));
  return status.ok() ? 0 : 1;
}
