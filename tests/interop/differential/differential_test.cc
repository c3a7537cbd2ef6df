// The same generated calls through weir's and grpc++'s clients and servers: what can be observed must be the same.
#include <cstdio>
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "tests/interop/differential/side.h"

ABSL_FLAG(uint32_t, seed, 20240229, "of the generator");
ABSL_FLAG(int, calls, 400, "how many to make");
ABSL_FLAG(int, only, -1, "make this one only");

namespace weir::differential {
namespace {

struct Pairing {
  const char* name;
  std::unique_ptr<Caller> caller;
};

void PrintDifference(const Plan& plan, int number, const std::string& who, const std::string& expected,
                     const std::string& got) {
  std::printf("\ncall %d: %s\n  grpc++ > grpc++ saw:\n%s  %s saw:\n%s  repeat: --seed=%u --only=%d\n", number,
              plan.ToString().c_str(), expected.c_str(), who.c_str(), got.c_str(), absl::GetFlag(FLAGS_seed), number);
}

int Run() {
  const std::unique_ptr<Answerer> weir_server = NewWeirAnswerer();
  const std::unique_ptr<Answerer> grpcpp_server = NewGrpcppAnswerer();
  const std::string weir_address = absl::StrCat("127.0.0.1:", weir_server->port());
  const std::string grpcpp_address = absl::StrCat("127.0.0.1:", grpcpp_server->port());
  const std::unique_ptr<Caller> yardstick = NewGrpcppCaller(grpcpp_address);
  const Pairing pairings[] = {
      {"weir > grpc++", NewWeirCaller(grpcpp_address)},
      {"grpc++ > weir", NewGrpcppCaller(weir_address)},
      {"weir > weir", NewWeirCaller(weir_address)},
  };

  const uint32_t seed = absl::GetFlag(FLAGS_seed);
  const int only = absl::GetFlag(FLAGS_only);
  const int first = only < 0 ? 0 : only;
  const int end = only < 0 ? absl::GetFlag(FLAGS_calls) : only + 1;
  std::printf("seed %u, calls %d to %d\n", seed, first, end - 1);
  int differences = 0;
  for (int number = first; number < end; ++number) {
    const Plan plan = MakePlan(seed, number);
    const std::string expected = Comparable(plan, yardstick->Make(plan));
    for (const Pairing& pairing : pairings) {
      const std::string got = Comparable(plan, pairing.caller->Make(plan));
      if (got == expected) continue;
      ++differences;
      PrintDifference(plan, number, pairing.name, expected, got);
    }
  }
  std::printf("%s: %d calls, each by 2 clients to 2 servers: %d differences; seed %u\n",
              differences == 0 ? "PASSED" : "FAILED", end - first, differences, seed);
  return differences == 0 ? 0 : 1;
}

}  // namespace
}  // namespace weir::differential

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return weir::differential::Run();
}
