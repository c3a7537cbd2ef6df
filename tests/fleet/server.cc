// server: a member of the fleet. Answers every call with its name, after some work; drains on SIGTERM.
//
//   server --listen=127.0.0.2:50051 --name=a
#include "weir/rpc/server/server.h"

#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/time/time.h"
#include "tests/benchmark/bench.weir.pb.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:0", "address to listen on");
ABSL_FLAG(std::string, name, "a", "what calls are answered with");
ABSL_FLAG(absl::Duration, work, absl::Milliseconds(10), "from a call to its answer, so that there are always some");

namespace {

class Member final : public bench::EchoService {
 public:
  Member(std::string name, absl::Duration work) : name_(std::move(name)), work_(work) {}

  weir::Task<absl::StatusOr<bench::Payload>> Unary(weir::ServerContext& context, const bench::Payload&) override {
    if (work_ > absl::ZeroDuration() && !co_await context.Sleep(work_)) co_return absl::CancelledError("not needed");
    bench::Payload answer;
    answer.set_body(name_);
    co_return answer;
  }

 private:
  const std::string name_;
  const absl::Duration work_;
};

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  Member member(absl::GetFlag(FLAGS_name), absl::GetFlag(FLAGS_work));
  weir::ServerOptions options;
  options.loop_threads = 1;
  // Keepalive is what makes clients notice; ours send more PINGs than the default allows.
  options.connection.pings.min_interval = absl::Seconds(5);
  weir::Server server(options);
  server.AddService(member);
  const absl::Status listening = server.Listen(absl::GetFlag(FLAGS_listen), weir::InsecureServerCredentials());
  if (!listening.ok()) return Fail(listening);
  std::printf("listening on %s\n", server.addresses()[0].c_str());
  std::fflush(stdout);
  const absl::Status ended = server.RunUntilSignal();
  return ended.ok() ? 0 : Fail(ended);
}
