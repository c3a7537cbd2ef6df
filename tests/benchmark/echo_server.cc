// echo_server: serves bench.Echo over cleartext HTTP/2 on 127.0.0.1 until SIGTERM.
//
//   bazel run -c opt //tests/benchmark:echo_server -- --port=50051 --threads=2
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "weir/rpc/server/server.h"
#include "weir/tests/benchmark/echo_service.h"
#include "weir/tests/benchmark/extra_methods.h"

ABSL_FLAG(int, port, 50051, "TCP port on 127.0.0.1; 0: the system chooses");
ABSL_FLAG(int, threads, 0, "loop threads; 0: one per CPU");
ABSL_FLAG(uint32_t, max_concurrent_streams, 100000, "calls that one connection may have open");
ABSL_FLAG(uint32_t, extra_methods, 0, "methods to serve beside bench.Echo's");

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  bench::EchoServiceImpl echo;
  bench::ExtraMethods extra(absl::GetFlag(FLAGS_extra_methods));
  weir::ServerOptions options;
  options.loop_threads = absl::GetFlag(FLAGS_threads);
  options.max_concurrent_streams = absl::GetFlag(FLAGS_max_concurrent_streams);
  options.connection.pings.min_interval = absl::ZeroDuration();  // what a PING costs is measured
  weir::Server server(options);
  server.AddService(echo);
  server.AddService(extra);
  absl::Status listening =
      server.Listen("127.0.0.1:" + std::to_string(absl::GetFlag(FLAGS_port)), weir::InsecureServerCredentials());
  if (!listening.ok()) {
    std::fprintf(stderr, "%s\n", listening.ToString().c_str());
    return 1;
  }
  std::printf("listening on 127.0.0.1:%d\n", server.port());
  std::fflush(stdout);
  absl::Status ended = server.RunUntilSignal();
  if (!ended.ok()) std::fprintf(stderr, "%s\n", ended.ToString().c_str());
  return 0;
}
