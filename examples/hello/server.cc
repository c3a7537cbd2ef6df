// Greets whoever calls, until SIGTERM.
#include "weir/rpc/server/server.h"

#include <iostream>

#include "examples/hello/hello.weir.pb.h"

class Greeter final : public hello::GreeterService {
  weir::Task<absl::StatusOr<hello::HelloReply>> SayHello(weir::ServerContext&,
                                                         const hello::HelloRequest& who) override {
    hello::HelloReply reply;
    reply.set_message("Hello, " + who.name());
    co_return reply;
  }
};

int main(int argc, char** argv) {
  Greeter greeter;
  weir::Server server;
  server.AddService(greeter);
  absl::Status status = server.Listen(argc > 1 ? argv[1] : "localhost:50051", weir::InsecureServerCredentials());
  if (status.ok()) std::cout << "listening on port " << server.port() << std::endl;
  if (status.ok()) status = server.RunUntilSignal();
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
