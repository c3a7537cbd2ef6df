// Serves the guide until SIGTERM.
//
//   bazel run //examples/route_guide:server -- localhost:50051
#include "weir/rpc/server/server.h"

#include <iostream>

#include "examples/route_guide/guide.h"

int main(int argc, char** argv) {
  routeguide::Guide guide;
  weir::ServerOptions options;
  options.drain_grace = absl::Seconds(5);  // what calls under way may take after SIGTERM
  weir::Server server(options);
  server.AddService(guide);
  absl::Status status = server.Listen(argc > 1 ? argv[1] : "localhost:50051", weir::InsecureServerCredentials());
  if (status.ok()) std::cout << "listening on port " << server.port() << std::endl;
  if (status.ok()) status = server.RunUntilSignal();
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
