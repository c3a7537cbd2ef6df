// A server that says what is wrong with a request field by field: a google.rpc.BadRequest beside code and text.
#include "weir/rpc/server/server.h"

#include <iostream>

#include "examples/rich_errors/signup.weir.pb.h"
#include "google/rpc/error_details.pb.h"
#include "weir/rpc/details/status_details.h"

namespace {

void Reject(google::rpc::BadRequest& bad, const char* field, const char* why) {
  google::rpc::BadRequest::FieldViolation& violation = *bad.add_field_violations();
  violation.set_field(field);
  violation.set_description(why);
}

class Signup final : public signup::SignupService {
  weir::Task<absl::StatusOr<signup::Account>> Register(weir::ServerContext&, const signup::Registration& who) override {
    google::rpc::BadRequest bad;
    if (who.name().empty()) Reject(bad, "name", "expected one, got none");
    if (who.mail().find('@') == std::string::npos) Reject(bad, "mail", "expected an address like a@b.example");
    if (who.age() < 18) Reject(bad, "age", "expected at least 18");
    if (bad.field_violations_size() > 0) {
      co_return weir::WithDetail(absl::InvalidArgumentError("the registration is incomplete"), bad);
    }
    signup::Account account;
    account.set_id(who.name() + "-1");
    co_return account;
  }
};

}  // namespace

int main(int argc, char** argv) {
  Signup signup;
  weir::Server server;
  server.AddService(signup);
  absl::Status status = server.Listen(argc > 1 ? argv[1] : "localhost:50051", weir::InsecureServerCredentials());
  if (status.ok()) std::cout << "listening on port " << server.port() << std::endl;
  if (status.ok()) status = server.RunUntilSignal();
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
