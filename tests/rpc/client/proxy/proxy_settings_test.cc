// Which proxy, and for whom: values of options and of the environment.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "weir/rpc/client/proxy/channel_proxy.h"

namespace weir {
namespace {

using Variables = std::map<std::string, std::string>;

Environment Of(const Variables& variables) {
  return [variables = std::make_shared<Variables>(variables)](const char* name) -> const char* {
    const auto it = variables->find(name);
    return it == variables->end() ? nullptr : it->second.c_str();
  };
}

// "host port authorization", "none", or what is wrong.
std::string Found(const Variables& variables, const std::string& option = "") {
  const absl::StatusOr<std::optional<ProxySettings>> proxy = FindProxy(option, Of(variables));
  if (!proxy.ok()) return std::string(proxy.status().message());
  if (!proxy->has_value()) return "none";
  return (*proxy)->host + " " + std::to_string((*proxy)->port) + " " + (*proxy)->authorization;
}

TEST(ProxySettingsTest, TheFirstVariableThatIsSetCounts) {
  Variables variables;
  EXPECT_EQ(Found(variables), "none");
  variables["http_proxy"] = "http://third:3";
  EXPECT_EQ(Found(variables), "third 3 ");
  variables["https_proxy"] = "http://second:2";
  EXPECT_EQ(Found(variables), "second 2 ");
  variables["grpc_proxy"] = "http://first:1";
  EXPECT_EQ(Found(variables), "first 1 ");
  EXPECT_EQ(Found(variables, "http://option:4"), "option 4 ");
  variables["grpc_proxy"] = "";
  EXPECT_EQ(Found(variables), "none") << "to nothing is set, too";
  EXPECT_EQ(Found({{"HTTPS_PROXY", "http://a:1"}, {"ALL_PROXY", "http://a:1"}}), "none");
}

TEST(ProxySettingsTest, AProxyIsAUrl) {
  EXPECT_EQ(Found({}, "http://a.example"), "a.example 80 ");
  EXPECT_EQ(Found({}, "http://a.example:3128/"), "a.example 3128 ");
  EXPECT_EQ(Found({}, "a.example:3128"), "a.example 3128 ");
  EXPECT_EQ(Found({}, "http://10.0.0.1:3128"), "10.0.0.1 3128 ");
  EXPECT_EQ(Found({}, "http://[::1]:3128"), "::1 3128 ");
  EXPECT_EQ(Found({}, "http://[::1]"), "::1 80 ");
  EXPECT_EQ(Found({}, "http://user:password@a.example:1"), "a.example 1 Basic dXNlcjpwYXNzd29yZA==");
  EXPECT_EQ(Found({}, "http://us%65r:p%40ss@word@a.example:1"), "a.example 1 Basic dXNlcjpwQHNzQHdvcmQ=");
}

TEST(ProxySettingsTest, WhatIsNoneIsToldWithoutThePassword) {
  const auto told = [](const std::string& value, const std::string& problem) {
    return "https_proxy: expected http://[user:password@]host[:port], got \"" + value + "\": " + problem +
           "; set grpc_proxy to another one or to nothing, or ChannelOptions::use_proxy to false";
  };
  const auto found = [](const std::string& value) { return Found({{"https_proxy", value}}); };
  EXPECT_EQ(found("socks5://a:1"), told("socks5://a:1", "other kinds of proxy are not supported"));
  EXPECT_EQ(found("http://"), told("http://", "the host is missing"));
  EXPECT_EQ(found("http://:80"), told("http://:80", "the host is missing"));
  EXPECT_EQ(found("http://[::1"), told("http://[::1", "\"[\" without \"]\""));
  EXPECT_EQ(found("http://u:p@a:0"), told("(user and password)@a:0", "the port is a number from 1 to 65535"));
  EXPECT_EQ(found("http://a:b"), told("http://a:b", "the port is a number from 1 to 65535"));
  EXPECT_EQ(found("http://[::1]x1"), told("http://[::1]x1", "expected \":port\""));
  EXPECT_EQ(found("http://a b:1"), told("http://a b:1", "this is no host name"));
}

// ---- exceptions -----------------------------------------------------------------------------------------------------

TEST(NoProxyTest, ANameStandsForItselfAndWhatIsBelowIt) {
  for (const char* entry : {"a.example", ".a.example", "A.Example", "x, a.example ,y"}) {
    const NoProxy list{entry};
    EXPECT_TRUE(list.Includes("a.example")) << entry;
    EXPECT_TRUE(list.Includes("b.a.EXAMPLE")) << entry;
    EXPECT_FALSE(list.Includes("ba.example")) << entry;
    EXPECT_FALSE(list.Includes("example")) << entry;
  }
  EXPECT_TRUE(NoProxy("*").Includes("a.example"));
  EXPECT_FALSE(NoProxy("").Includes("a.example"));
  EXPECT_FALSE(NoProxy(",. ,").Includes("a.example"));
  EXPECT_FALSE(NoProxy("10.0.0.0/8").Includes("a.example"));
}

TEST(NoProxyTest, AnAddressStandsForItselfOrARange) {
  EXPECT_TRUE(NoProxy("10.1.2.3").Includes("10.1.2.3"));
  EXPECT_FALSE(NoProxy("0.1.2.3").Includes("10.1.2.3"));
  EXPECT_TRUE(NoProxy("10.0.0.0/8").Includes("10.1.2.3"));
  EXPECT_TRUE(NoProxy("10.1.2.0/23").Includes("10.1.3.3"));
  EXPECT_FALSE(NoProxy("10.1.2.0/24").Includes("10.1.3.3"));
  EXPECT_TRUE(NoProxy("0.0.0.0/0").Includes("10.1.3.3"));
  EXPECT_FALSE(NoProxy("::/0").Includes("10.1.3.3"));
  EXPECT_TRUE(NoProxy("[::1]").Includes("::1"));
  EXPECT_TRUE(NoProxy("2001:db8::/33").Includes("2001:db8:7fff::1"));
  EXPECT_FALSE(NoProxy("2001:db8::/33").Includes("2001:db8:8000::1"));
  EXPECT_TRUE(NoProxy("*").Includes("10.1.3.3"));
  for (const char* malformed : {"10.1.2.0/", "10.1.2.0/x", "10.1.2.0/33", "10.1.2/8", "/8"}) {
    EXPECT_FALSE(NoProxy(malformed).Includes("10.1.2.0")) << malformed;
  }
}

// ---- targets --------------------------------------------------------------------------------------------------------

bool GoesByProxy(std::string_view text, ChannelOptions options = {}, Variables variables = {}) {
  if (variables.empty()) variables["http_proxy"] = "http://proxy:1";
  absl::StatusOr<Target> target = Target::Parse(text, options.name_resolvers);
  if (!target.ok()) return false;
  return *UseProxy(options, Of(variables), &*target) != nullptr;
}

TEST(ChannelProxyTest, TargetsWithANameOrAnAddressGoByProxy) {
  for (const char* text :
       {"a.example:1", "dns:a.example", "dns:///a.example:1", "passthrough:///a.example:1", "10.0.0.1:1",
        "ipv4:10.0.0.1:1,10.0.0.2:1", "ipv6:[::1]:1", "http://a.example:1", "localhost:1"}) {
    EXPECT_TRUE(GoesByProxy(text)) << text;
  }
  ChannelOptions options;
  options.name_resolvers["etcd"] = nullptr;
  for (const char* text : {"unix:/run/x.sock", "unix-abstract:x", "file:/etc/greeters", "etcd:///greeters"}) {
    EXPECT_FALSE(GoesByProxy(text, options)) << text;
  }
}

TEST(ChannelProxyTest, OptionsAndExceptionsMayKeepThemFromIt) {
  ChannelOptions options;
  options.use_proxy = false;
  EXPECT_FALSE(GoesByProxy("a.example:1", options));
  options.http_proxy = "http://proxy:1";
  EXPECT_FALSE(GoesByProxy("a.example:1", options));
  const Variables variables = {{"http_proxy", "http://proxy:1"}, {"no_proxy", "a.example"}};
  EXPECT_FALSE(GoesByProxy("a.example:1", {}, variables));
  EXPECT_TRUE(GoesByProxy("b.example:1", {}, variables));
  const Variables both = {{"http_proxy", "http://proxy:1"}, {"no_proxy", "a.example"}, {"no_grpc_proxy", ""}};
  EXPECT_TRUE(GoesByProxy("a.example:1", {}, both)) << "no_grpc_proxy is set, to nothing";
}

TEST(ChannelProxyTest, TheProxyLooksTheNameUp) {
  absl::StatusOr<Target> target = Target::Parse("dns:///a.example:1");
  ASSERT_TRUE(UseProxy({}, Of({{"http_proxy", "http://proxy:1"}}), &*target).ok());
  EXPECT_EQ(target->host, "");
  EXPECT_EQ(target->addresses.size(), 1u);
  EXPECT_EQ(target->authority, "a.example:1");
}

}  // namespace
}  // namespace weir
