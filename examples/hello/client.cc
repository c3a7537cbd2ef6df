// Greets the server by name, and prints what it answers.
#include <iostream>

#include "examples/hello/hello.weir.pb.h"
#include "weir/rpc/client/channel.h"

int main(int argc, char** argv) {
  weir::Channel channel(argc > 1 ? argv[1] : "localhost:50051", weir::InsecureChannelCredentials());
  hello::GreeterClient greeter(channel);
  hello::HelloRequest request;
  request.set_name(argc > 2 ? argv[2] : "world");
  absl::StatusOr<hello::HelloReply> reply = greeter.SayHello(request).Wait();
  if (reply.ok()) std::cout << reply->message() << "\n";
  if (!reply.ok()) std::cerr << reply.status() << "\n";
  return reply.ok() ? 0 : 1;
}
