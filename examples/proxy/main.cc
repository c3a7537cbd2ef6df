// proxy LISTEN UPSTREAM: forwards every call that comes to LISTEN to the server at UPSTREAM.
#include <iostream>

#include "weir/examples/proxy/proxy.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: proxy LISTEN UPSTREAM, for example: proxy localhost:50052 localhost:50051\n";
    return 2;
  }
  weir::Channel upstream(argv[2], weir::InsecureChannelCredentials());
  proxy::Proxy proxy(upstream);
  weir::Server server;
  server.AddService(proxy);
  absl::Status status = server.Listen(argv[1], weir::InsecureServerCredentials());
  if (status.ok()) std::cout << "listening on port " << server.port() << std::endl;
  if (status.ok()) status = server.RunUntilSignal();
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
