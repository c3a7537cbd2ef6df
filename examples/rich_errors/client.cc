// client [target [name mail age]]: registers, and shows what is wrong field by field.
#include <cstdlib>
#include <iostream>

#include "examples/rich_errors/signup.weir.pb.h"
#include "google/rpc/error_details.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/details/status_details.h"

int main(int argc, char** argv) {
  weir::Channel channel(argc > 1 ? argv[1] : "localhost:50051", weir::InsecureChannelCredentials());
  signup::SignupClient signup(channel);
  signup::Registration who;
  if (argc > 4) {
    who.set_name(argv[2]);
    who.set_mail(argv[3]);
    who.set_age(std::atoi(argv[4]));
  }
  const absl::StatusOr<signup::Account> account = signup.Register(who).Wait();
  if (account.ok()) {
    std::cout << "registered as " << account->id() << "\n";
    return 0;
  }
  std::cout << account.status().message() << "\n";
  if (const auto bad = weir::GetDetail<google::rpc::BadRequest>(account.status())) {
    for (const auto& violation : bad->field_violations()) {
      std::cout << "  " << violation.field() << ": " << violation.description() << "\n";
    }
  }
  return 1;
}
