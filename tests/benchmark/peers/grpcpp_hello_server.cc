// examples/hello/server.cc on grpc++: to compare the size of the program and the time to compile it.
#include <grpcpp/grpcpp.h>

#include <iostream>
#include <memory>

#include "examples/hello/hello.grpc.pb.h"

class Greeter final : public hello::Greeter::CallbackService {
  grpc::ServerUnaryReactor* SayHello(grpc::CallbackServerContext* context, const hello::HelloRequest* who,
                                     hello::HelloReply* reply) override {
    reply->set_message("Hello, " + who->name());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int main(int argc, char** argv) {
  Greeter greeter;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(argc > 1 ? argv[1] : "localhost:50051", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&greeter);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::cout << "listening on port " << port << std::endl;
  server->Wait();
  return 0;
}
