#include "weir/rpc/client/target.h"

#include <string>

#include "gtest/gtest.h"

namespace weir {
namespace {

TEST(TargetTest, EveryFormNamesHostPortAndAuthority) {
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
      {"http://greeter:80", "greeter", 80, "greeter:80"},
      {"ipv4:1.2.3.4:5", "1.2.3.4", 5, "1.2.3.4:5"},
      {"ipv6:[::1]:5", "::1", 5, "[::1]:5"},
      {"[::1]", "::1", 443, "[::1]:443"},
  };
  for (const auto& form : cases) {
    SCOPED_TRACE(form.text);
    absl::StatusOr<Target> target = Target::Parse(form.text);
    ASSERT_TRUE(target.ok()) << target.status();
    EXPECT_EQ(target->text, form.text);
    EXPECT_EQ(target->host, form.host);
    EXPECT_EQ(target->port, form.port);
    EXPECT_EQ(target->authority, form.authority);
    EXPECT_EQ(target->unix_address, "");
  }
}

TEST(TargetTest, UnixSocketsHaveAPathAndALegalAuthority) {
  for (const char* text : {"unix:/run/x.sock", "unix:///run/x.sock"}) {
    absl::StatusOr<Target> target = Target::Parse(text);
    ASSERT_TRUE(target.ok()) << target.status();
    EXPECT_EQ(target->unix_address, "unix:/run/x.sock");
    EXPECT_EQ(target->authority, "localhost");
  }
}

TEST(TargetTest, AbstractSocketsHaveANameAndALegalAuthority) {
  absl::StatusOr<Target> target = Target::Parse("unix-abstract:a/name with: all");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->unix_address, "unix-abstract:a/name with: all");
  EXPECT_EQ(target->authority, "localhost");
}

TEST(TargetTest, WhatCannotBeParsedSaysWhatWasExpectedAndWhatCame) {
  for (const std::string text :
       {"", ":1", "a b:1", "a:0", "a:65536", "a:1x", "a:", "::1:5", "[::1", "[::1]5", "dns://8.8.8.8/a:1", "dns://a",
        "unix:", "unix://relative", "unix-abstract:", "user@host:1", "host/path:1"}) {
    absl::StatusOr<Target> target = Target::Parse(text);
    ASSERT_FALSE(target.ok()) << text;
    EXPECT_EQ(target.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_NE(target.status().message().find("expected host:port"), absl::string_view::npos) << target.status();
    EXPECT_NE(target.status().message().find("got \"" + text + "\""), absl::string_view::npos) << target.status();
  }
}

}  // namespace
}  // namespace weir
