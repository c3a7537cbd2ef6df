#include "weir/examples/unit_test/party.h"

namespace party {

absl::StatusOr<std::vector<std::string>> Welcome(hello::GreeterClient& greeter,
                                                 const std::vector<std::string>& guests) {
  std::vector<std::string> greetings;
  for (const std::string& guest : guests) {
    hello::HelloRequest request;
    request.set_name(guest);
    const absl::StatusOr<hello::HelloReply> reply = greeter.SayHello(request).Wait();
    if (absl::IsNotFound(reply.status())) continue;
    if (!reply.ok()) return reply.status();
    greetings.push_back(reply->message());
  }
  return greetings;
}

}  // namespace party
