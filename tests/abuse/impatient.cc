// impatient --port=0: a server whose clients have little time, few streams and few descriptors, so that what a server
// of the defaults does after a minute or an hour can be seen in a second.
//
// Prints "listening on 127.0.0.1:PORT"; SIGTERM ends it, and it says how often each of its times was over.
#include <sys/resource.h>

#include <cstdio>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "tests/interop/features_service.h"
#include "tests/interop/test_service.h"
#include "weir/rpc/server/server.h"

ABSL_FLAG(int, port, 0, "0: any free one, see the first line of output");

namespace {

constexpr rlim_t kDescriptors = 100;

weir::ServerOptions Impatient() {
  const absl::Duration soon = absl::Milliseconds(400);
  weir::ServerOptions options;
  options.loop_threads = 1;
  options.max_concurrent_streams = 50;
  options.max_connections = 10 * kDescriptors;  // so that descriptors run out first
  options.stream_write_stall_timeout = soon;
  options.connection.handshake_timeout = soon;
  options.connection.settings_ack_timeout = soon;
  options.connection.header_block_timeout = soon;
  options.connection.write_timeout = soon;
  options.connection.message_timeout = soon;
  options.connection.keepalive.time = 2 * soon;
  options.connection.keepalive.timeout = soon;
  options.connection.max_idle = 4 * soon;
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const rlimit descriptors{.rlim_cur = kDescriptors, .rlim_max = kDescriptors};
  if (::setrlimit(RLIMIT_NOFILE, &descriptors) != 0) return 1;

  weir::interop::LoadReport load;
  weir::interop::TestServiceImpl test_service("impatient", load);
  weir::interop::FeaturesServiceImpl features;
  weir::Server server(Impatient());
  server.AddService(test_service);
  server.AddService(features);
  const absl::Status listening =
      server.Listen(absl::StrCat("127.0.0.1:", absl::GetFlag(FLAGS_port)), weir::InsecureServerCredentials());
  if (!listening.ok()) {
    std::fprintf(stderr, "%s\n", listening.ToString().c_str());
    return 1;
  }
  std::printf("listening on 127.0.0.1:%d\n", server.port());
  std::fflush(stdout);
  const absl::Status drained = server.RunUntilSignal();
  for (const weir::Timeout which : weir::kTimeouts) {
    std::printf("%s %llu\n", std::string(weir::ToString(which)).c_str(),
                static_cast<unsigned long long>(server.timeout_count(which)));
  }
  return drained.ok() ? 0 : 1;
}
