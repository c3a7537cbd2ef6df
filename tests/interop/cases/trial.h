// Trial: one run of one case: the client to use, the options, and what was wrong.
//
// A case is a plain function on a Trial. Checks do not stop the case; they return whether they held, so that a case
// returns early where going on makes no sense. Each failure says what was expected and what came.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/interop/cases/test_client.h"

namespace weir::interop {

// The official flags that cases look at.
struct TrialOptions {
  std::string server_uri;  // host:port, for the lines that the soak cases print
  int soak_iterations = 10;
  int soak_max_failures = 0;
  absl::Duration soak_per_iteration_max_acceptable_latency = absl::Seconds(1);
  absl::Duration soak_overall_timeout = absl::Seconds(10);
  absl::Duration soak_min_time_between_rpcs = absl::ZeroDuration();
  int soak_request_bytes = 271828;
  int soak_response_bytes = 314159;
  absl::Duration iteration_interval = absl::Seconds(10);
  int streams = 1000;  // of concurrent_large_unary and thousand_streams
};

class Trial {
 public:
  Trial(const TestClientFactory& factory, const TrialOptions& options)
      : factory_(factory), options_(options), client_(factory()) {}

  TestClient& client() { return *client_; }
  std::unique_ptr<TestClient> NewClient() { return factory_(); }
  const TrialOptions& options() const { return options_; }

  bool Fail(std::string what) {
    failures_.push_back(std::move(what));
    return false;
  }

  template <class A, class B>
  bool ExpectEqual(const std::string& what, const A& expected, const B& got) {
    if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
      if (std::cmp_equal(expected, got)) return true;
    } else {
      if (expected == got) return true;
    }
    return Fail(absl::StrCat(what, ": expected ", expected, ", got ", got));
  }
  bool Expect(const std::string& what, bool holds) { return holds || Fail(absl::StrCat(what, ": does not hold")); }

  bool ExpectOk(const std::string& what, const absl::Status& got);
  bool ExpectCode(const std::string& what, absl::StatusCode expected, const absl::Status& got);
  bool ExpectStatus(const std::string& what, const absl::Status& expected, const absl::Status& got);
  // The values of `key` in `got`, in this order.
  bool ExpectValues(const std::string& what, const std::string& key, const std::vector<std::string>& expected,
                    const Pairs& got);

  const std::vector<std::string>& failures() const { return failures_; }

 private:
  const TestClientFactory& factory_;
  const TrialOptions& options_;
  std::unique_ptr<TestClient> client_;
  std::vector<std::string> failures_;
};

// Bytes as a reader can bear them: escaped, and cut after 80.
std::string Show(const std::string& bytes);

// A payload of `bytes` zeros, as the official cases send.
grpc::testing::Payload Zeros(int bytes);

}  // namespace weir::interop
