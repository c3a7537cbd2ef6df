// A server that is replaced without refusing a connection: each new process takes the sockets of the one before it.
#include "weir/rpc/server/server.h"

#include <unistd.h>

#include <iostream>
#include <string>

#include "examples/hello/hello.weir.pb.h"

class Greeter final : public hello::GreeterService {
  weir::Task<absl::StatusOr<hello::HelloReply>> SayHello(weir::ServerContext&,
                                                         const hello::HelloRequest& who) override {
    hello::HelloReply reply;
    reply.set_message("Hello, " + who.name() + ", from process " + std::to_string(getpid()));
    co_return reply;
  }
};

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr
        << "server ADDRESS PATH: listens on ADDRESS, or takes over from the server that offers its sockets at PATH\n";
    return 2;
  }
  Greeter greeter;
  weir::Server server;
  server.AddService(greeter);
  // The first one listens; every other one finds a predecessor.
  absl::Status status = server.TakeOver(argv[2], weir::InsecureServerCredentials());
  if (absl::IsUnavailable(status)) status = server.Listen(argv[1], weir::InsecureServerCredentials());
  if (status.ok()) status = server.OfferHandover(argv[2]);
  if (status.ok()) std::cout << "listening on port " << server.port() << std::endl;
  if (status.ok()) status = server.RunUntilSignal();
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
