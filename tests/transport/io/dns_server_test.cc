#include "weir/transport/io/dns_server.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testing/status_matchers.h"
#include "weir/tests/transport/io/dns_answers.h"

namespace weir::transport {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using weir::testing::DnsAnswers;
using weir::testing::StatusIs;

std::vector<std::string> Texts(const absl::StatusOr<std::vector<SocketAddress>>& addresses) {
  if (!addresses.ok()) return {addresses.status().ToString()};
  std::vector<std::string> texts;
  for (const SocketAddress& address : *addresses) texts.push_back(address.ToString());
  return texts;
}

TEST(DnsServerTest, GivesTheAddressesOfBothFamiliesIPv6First) {
  DnsAnswers dns("127.0.0.1");
  dns.Add("greeter.test", {.ipv4 = {"10.0.0.1", "10.0.0.2"}, .ipv6 = {"fd00::1"}});
  EXPECT_THAT(Texts(LookupAt(dns.address(), "greeter.test", 5)),
              ElementsAre("[fd00::1]:5", "10.0.0.1:5", "10.0.0.2:5"));
}

TEST(DnsServerTest, OneFamilyIsEnough) {
  DnsAnswers dns("127.0.0.1");
  dns.Add("old.test", {.ipv4 = {"10.0.0.1"}});
  dns.Add("new.test", {.ipv6 = {"fd00::1"}});
  EXPECT_THAT(Texts(LookupAt(dns.address(), "old.test", 5)), ElementsAre("10.0.0.1:5"));
  EXPECT_THAT(Texts(LookupAt(dns.address(), "new.test", 5)), ElementsAre("[fd00::1]:5"));
}

TEST(DnsServerTest, AServerMayHaveAnIPv6Address) {
  DnsAnswers dns("::1");
  dns.Add("greeter.test", {.ipv4 = {"10.0.0.1"}});
  EXPECT_THAT(Texts(LookupAt(dns.address(), "greeter.test", 5)), ElementsAre("10.0.0.1:5"));
}

TEST(DnsServerTest, FollowsAnAlias) {
  DnsAnswers dns("127.0.0.1");
  dns.Add("greeter.test", {.ipv4 = {"10.0.0.1"}, .alias = "a.fleet.test"});
  EXPECT_THAT(Texts(LookupAt(dns.address(), "greeter.test", 5)), ElementsAre("10.0.0.1:5"));
}

TEST(DnsServerTest, ErrorsNameTheHostTheServerAndTheReason) {
  DnsAnswers dns("127.0.0.1");
  dns.Add("nowhere.test", {});
  dns.Add("broken.test", {.fails = true});
  dns.Add("short.test", {.ipv4 = {"10.0.0.1"}, .malformed = true});  // promises more than it holds
  const struct {
    const char* host;
    const char* reason;
  } cases[] = {
      {"unknown.test", "it knows no such name"},
      {"nowhere.test", "the name has no IPv4 or IPv6 address"},
      {"broken.test", "it does not answer, or has failed"},
      {"short.test", "its answer cannot be read"},
  };
  for (const auto& wrong : cases) {
    EXPECT_THAT(
        LookupAt(dns.address(), wrong.host, 5).status(),
        StatusIs(absl::StatusCode::kUnavailable, AllOf(HasSubstr(std::string("resolve \"") + wrong.host +
                                                                 "\" by the DNS server " + dns.address().ToString()),
                                                       HasSubstr(wrong.reason))));
  }
}

}  // namespace
}  // namespace weir::transport
