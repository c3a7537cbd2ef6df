#include "weir/rpc/client/target.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace weir {
namespace {

TEST(TargetTest, NamesAreLookedUpAndHaveTheirAuthority) {
  const struct {
    const char* text;
    const char* host;
    uint16_t port;
    const char* authority;
  } cases[] = {
      {"greeter:50051", "greeter", 50051, "greeter:50051"},
      {"greeter", "greeter", 443, "greeter:443"},
      {"dns:greeter:1", "greeter", 1, "greeter:1"},
      {"dns:///greeter:65535", "greeter", 65535, "greeter:65535"},
      {"passthrough:///greeter:5", "greeter", 5, "greeter:5"},
      {"http://greeter:80", "greeter", 80, "greeter:80"},
      {"file:1", "file", 1, "file:1"},
      {"unknown:1", "unknown", 1, "unknown:1"},
  };
  for (const auto& form : cases) {
    SCOPED_TRACE(form.text);
    absl::StatusOr<Target> target = Target::Parse(form.text);
    ASSERT_TRUE(target.ok()) << target.status();
    EXPECT_EQ(target->text, form.text);
    EXPECT_EQ(target->host, form.host);
    EXPECT_EQ(target->port, form.port);
    EXPECT_EQ(target->authority, form.authority);
    EXPECT_TRUE(target->addresses.empty());
    EXPECT_FALSE(target->dns_server.has_value());
  }
}

TEST(TargetTest, TheAuthorityOfADnsTargetIsTheServerToAsk) {
  const struct {
    const char* text;
    const char* server;
  } cases[] = {
      {"dns://9.9.9.9/greeter:5", "9.9.9.9:53"},
      {"dns://9.9.9.9:5353/greeter:5", "9.9.9.9:5353"},
      {"dns://[fd00::53]/greeter:5", "[fd00::53]:53"},
      {"dns://[fd00::53]:5353/greeter:5", "[fd00::53]:5353"},
  };
  for (const auto& form : cases) {
    SCOPED_TRACE(form.text);
    absl::StatusOr<Target> target = Target::Parse(form.text);
    ASSERT_TRUE(target.ok()) << target.status();
    ASSERT_TRUE(target->dns_server.has_value());
    EXPECT_EQ(target->dns_server->ToString(), form.server);
    EXPECT_EQ(target->host, "greeter");
    EXPECT_EQ(target->authority, "greeter:5");
  }
}

TEST(TargetTest, NumericHostsAndListsNeedNoLookup) {
  const struct {
    const char* text;
    std::vector<std::string> addresses;
    const char* authority;
  } cases[] = {
      {"ipv4:1.2.3.4:5", {"1.2.3.4:5"}, "1.2.3.4:5"},
      {"ipv4:1.2.3.4:5,6.7.8.9", {"1.2.3.4:5", "6.7.8.9:443"}, "1.2.3.4:5"},
      {"ipv6:[::1]:5,[::2]", {"[::1]:5", "[::2]:443"}, "[::1]:5"},
      {"[::1]", {"[::1]:443"}, "[::1]:443"},
      {"dns:///1.2.3.4:5", {"1.2.3.4:5"}, "1.2.3.4:5"},
      {"passthrough:///1.2.3.4:5", {"1.2.3.4:5"}, "1.2.3.4:5"},
      {"unix:/run/x.sock", {"unix:/run/x.sock"}, "localhost"},
      {"unix:///run/x.sock", {"unix:/run/x.sock"}, "localhost"},
      {"unix-abstract:a/name with: all", {"unix-abstract:a/name with: all"}, "localhost"},
  };
  for (const auto& form : cases) {
    SCOPED_TRACE(form.text);
    absl::StatusOr<Target> target = Target::Parse(form.text);
    ASSERT_TRUE(target.ok()) << target.status();
    std::vector<std::string> addresses;
    for (const transport::SocketAddress& address : target->addresses) addresses.push_back(address.ToString());
    EXPECT_EQ(addresses, form.addresses);
    EXPECT_EQ(target->authority, form.authority);
    EXPECT_EQ(target->host, "");
  }
}

TEST(TargetTest, FilesAndSchemesOfTheProgramHaveAPath) {
  absl::StatusOr<Target> file = Target::Parse("file:///etc/greeters");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->scheme, "file");
  EXPECT_EQ(file->path, "/etc/greeters");
  NameResolvers own;
  own["etcd"] = nullptr;
  absl::StatusOr<Target> etcd = Target::Parse("etcd:///greeters", own);
  ASSERT_TRUE(etcd.ok()) << etcd.status();
  EXPECT_EQ(etcd->scheme, "etcd");
  EXPECT_EQ(etcd->path, "///greeters");
}

TEST(TargetTest, WhatCannotBeParsedSaysWhatWasExpectedAndWhatCame) {
  for (const std::string text : {"",
                                 ":1",
                                 "a b:1",
                                 "a:0",
                                 "a:65536",
                                 "a:1x",
                                 "a:",
                                 "::1:5",
                                 "[::1",
                                 "[::1]5",
                                 "dns://a.server/a:1",
                                 "dns://8.8.8.8:0/a:1",
                                 "passthrough://8.8.8.8/a:1",
                                 "dns://a",
                                 "ipv4:greeter:1",
                                 "ipv4:[::1]:1",
                                 "ipv6:1.2.3.4:5",
                                 "ipv4:1.2.3.4:5,",
                                 "a:1,b:2",
                                 "file://relative/x",
                                 "unix:",
                                 "unix://relative",
                                 "unix-abstract:",
                                 "user@host:1",
                                 "host/path:1"}) {
    absl::StatusOr<Target> target = Target::Parse(text);
    ASSERT_FALSE(target.ok()) << text;
    EXPECT_EQ(target.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_NE(target.status().message().find("expected host:port"), absl::string_view::npos) << target.status();
    EXPECT_NE(target.status().message().find("got \"" + text + "\""), absl::string_view::npos) << target.status();
  }
}

TEST(TargetTest, AuthorityOfAProgramsSchemeIsItsEndpoint) {
  const NameResolvers schemes = {{"etcd", nullptr}};
  const struct {
    const char* text;
    const char* authority;
  } cases[] = {
      {"etcd:///greeters", "greeters"}, {"etcd://cluster/greeters:1", "greeters:1"},
      {"etcd:greeters", "greeters"},    {"etcd:///a/path", "localhost"},
      {"etcd:///", "localhost"},        {"etcd://cluster", "localhost"},
  };
  for (const auto& form : cases) {
    SCOPED_TRACE(form.text);
    absl::StatusOr<Target> target = Target::Parse(form.text, schemes);
    ASSERT_TRUE(target.ok()) << target.status();
    EXPECT_EQ(target->authority, form.authority);
  }
}

}  // namespace
}  // namespace weir
