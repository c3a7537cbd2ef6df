// A greeter that registers itself in etcd.
//
//   server ETCD NAME [ADDRESS]        server localhost:2379 a 127.0.0.1:0
#include "weir/rpc/server/server.h"

#include <csignal>
#include <iostream>
#include <optional>
#include <string>

#include "examples/hello/hello.weir.pb.h"
#include "weir/examples/etcd_resolver/registration.h"
#include "weir/rpc/client/channel.h"

class Greeter final : public hello::GreeterService {
 public:
  explicit Greeter(std::string name) : name_(std::move(name)) {}

  weir::Task<absl::StatusOr<hello::HelloReply>> SayHello(weir::ServerContext&, const hello::HelloRequest&) override {
    hello::HelloReply reply;
    reply.set_message(name_);
    co_return reply;
  }

 private:
  const std::string name_;
};

// In all threads, so before any is started.
sigset_t BlockedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "server ETCD NAME [ADDRESS]: greets with NAME on ADDRESS, and registers as greeters/NAME\n";
    return 2;
  }
  const std::string name = argv[2];
  const sigset_t signals = BlockedSignals();
  weir::Channel etcd(argv[1], weir::InsecureChannelCredentials());
  Greeter greeter(name);
  weir::Server server;
  server.AddService(greeter);
  absl::Status status = server.Listen(argc > 3 ? argv[3] : "127.0.0.1:0", weir::InsecureServerCredentials());
  std::optional<Registration> registration;
  if (status.ok()) status = registration.emplace(etcd, "greeters/" + name, server.addresses()[0]).Begin();
  if (status.ok()) {
    std::cout << "listening on port " << server.port() << std::endl;
    int signal = 0;
    sigwait(&signals, &signal);
    registration.reset();  // clients hear of it, and go
    status = server.Drain(absl::Seconds(30));
  }
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
