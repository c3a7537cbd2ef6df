// Service configs: what is understood, which entry counts for which method, and what is said of mistakes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/service_config/parse_json.h"
#include "weir/rpc/client/service_config/parse_service_config.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const ServiceConfig> Parsed(std::string_view json) {
  ServiceConfigResult config = ParseServiceConfig(json);
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *config : std::make_shared<const ServiceConfig>();
}

// What is said against it, without "service config: ".
std::string Mistake(std::string_view json) {
  const ServiceConfigResult config = ParseServiceConfig(json);
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << json;
  const std::string text(config.status().message());
  EXPECT_EQ(text.rfind("service config: ", 0), 0u) << text;
  return text.substr(text.find(' ', 8) + 1);
}

const MethodConfig* For(const ServiceConfig& config, std::string_view path) {
  return config.For(MethodSpec{.path = path});
}

MethodConfig OnlyMethod(const std::string& fields) {
  const auto config =
      Parsed(absl::StrCat(R"({"methodConfig":[{"name":[{}])", fields.empty() ? "" : ",", fields, "}]}"));
  const MethodConfig* found = For(*config, "/a.B/C");
  return found == nullptr ? MethodConfig() : *found;
}

std::string MethodMistake(const std::string& fields) {
  return Mistake(absl::StrCat(R"({"methodConfig":[{"name":[{}],)", fields, "}]}"));
}

// ---- which entry counts ---------------------------------------------------------------------------------------------

TEST(ServiceConfigTest, MostSpecificNameWins) {
  const auto config = Parsed(R"({"methodConfig":[
    {"name":[{}], "timeout":"1s"},
    {"name":[{"service":"a.B"}], "timeout":"2s"},
    {"name":[{"service":"a.B","method":"C"},{"service":"x.Y","method":"Z"}], "timeout":"3s"}]})");
  EXPECT_EQ(For(*config, "/a.B/C")->timeout, absl::Seconds(3));
  EXPECT_EQ(For(*config, "/x.Y/Z")->timeout, absl::Seconds(3));
  EXPECT_EQ(For(*config, "/a.B/Other")->timeout, absl::Seconds(2));
  EXPECT_EQ(For(*config, "/a.Bother/C")->timeout, absl::Seconds(1));
  EXPECT_EQ(For(*config, "/x.Y/Other")->timeout, absl::Seconds(1));
}

TEST(ServiceConfigTest, MethodThatNothingNamesHasNoEntry) {
  const auto config = Parsed(R"({"methodConfig":[{"name":[{"service":"a.B"}]},{"timeout":"1s"},{"name":[]}]})");
  EXPECT_EQ(For(*config, "/x.Y/Z"), nullptr);
  EXPECT_EQ(For(*config, "nonsense"), nullptr);
  EXPECT_EQ(For(*config, ""), nullptr);
  EXPECT_NE(For(*config, "/a.B/C"), nullptr);
}

TEST(ServiceConfigTest, NullAndEmptyMeanAbsentInNames) {
  const auto config = Parsed(R"({"methodConfig":[{"name":[{"service":"a.B","method":null}],"timeout":null}]})");
  ASSERT_NE(For(*config, "/a.B/C"), nullptr);
  EXPECT_EQ(For(*config, "/a.B/C")->timeout, std::nullopt);
  EXPECT_THAT(Mistake(R"({"methodConfig":[{"name":[{"service":"a.B","method":null}]},
                                          {"name":[{},{"service":"a.B","method":""}]}]})"),
              "methodConfig[1].name[1]: expected each name once in all of methodConfig, got \"a.B/\" again");
}

TEST(ServiceConfigTest, MethodWithoutServiceIsRefused) {
  EXPECT_THAT(Mistake(R"({"methodConfig":[{"name":[{"method":"C"}]}]})"),
              "methodConfig[0].name[0]: expected the service of method \"C\", got none");
}

// ---- fields ---------------------------------------------------------------------------------------------------------

TEST(ServiceConfigTest, EmptyConfigSaysNothing) {
  const auto config = Parsed("{}");
  EXPECT_TRUE(config->load_balancing.empty());
  EXPECT_FALSE(config->retry_throttling.has_value());
  EXPECT_FALSE(config->health_check_service.has_value());
  EXPECT_EQ(For(*config, "/a.B/C"), nullptr);
}

TEST(ServiceConfigTest, FieldsOfAMethod) {
  const MethodConfig config = OnlyMethod(
      R"("timeout":"1.5s","waitForReady":true,"maxRequestMessageBytes":"1024","maxResponseMessageBytes":0,"new":[1])");
  EXPECT_EQ(config.timeout, absl::Milliseconds(1500));
  EXPECT_EQ(config.wait_for_ready, true);
  EXPECT_EQ(config.max_request_message_bytes, 1024u);
  EXPECT_EQ(config.max_response_message_bytes, 0u);
  EXPECT_FALSE(config.retry.has_value());
  EXPECT_FALSE(config.hedging.has_value());
}

TEST(ServiceConfigTest, DurationsAreSecondsWithUpToNineDecimals) {
  const auto timeout = [](const std::string& text) { return *OnlyMethod("\"timeout\":\"" + text + "\"").timeout; };
  EXPECT_EQ(timeout("0s"), absl::ZeroDuration());
  EXPECT_EQ(timeout("0.000000001s"), absl::Nanoseconds(1));
  EXPECT_EQ(timeout("3.5s"), absl::Milliseconds(3500));
  EXPECT_EQ(timeout("315576000000s"), absl::Seconds(315576000000));
  for (const char* wrong : {"\"-1s\"", "\"1\"", "\"s\"", "\".5s\"", "\"1.s\"", "\"1.0000000001s\"", "\"315576000001s\"",
                            "\"1e3s\"", "\"1 s\"", "1.5", "true", "\"99999999999999999999s\""}) {
    EXPECT_THAT(MethodMistake(absl::StrCat("\"timeout\":", wrong)),
                HasSubstr("methodConfig[0].timeout: expected seconds such as \"1.5s\", got "));
  }
}

TEST(ServiceConfigTest, RetryPolicy) {
  const MethodConfig config = OnlyMethod(R"("retryPolicy":{"maxAttempts":4,"initialBackoff":"0.1s","maxBackoff":"1s",
      "backoffMultiplier":2.5,"retryableStatusCodes":["UNAVAILABLE","aborted",4]})");
  ASSERT_TRUE(config.retry.has_value());
  EXPECT_EQ(config.retry->max_attempts, 4);
  EXPECT_EQ(config.retry->initial_backoff, absl::Milliseconds(100));
  EXPECT_EQ(config.retry->max_backoff, absl::Seconds(1));
  EXPECT_EQ(config.retry->backoff_multiplier, 2.5);
  EXPECT_TRUE(config.retry->retryable.Has(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(config.retry->retryable.Has(absl::StatusCode::kAborted));
  EXPECT_TRUE(config.retry->retryable.Has(absl::StatusCode::kDeadlineExceeded));
  EXPECT_FALSE(config.retry->retryable.Has(absl::StatusCode::kInternal));
}

std::string RetryWith(std::string_view name, std::string_view value) {
  std::string json = "\"retryPolicy\":{";
  for (const auto& [key, usual] : {std::pair<std::string_view, std::string_view>("maxAttempts", "2"),
                                   {"initialBackoff", "\"1s\""},
                                   {"maxBackoff", "\"1s\""},
                                   {"backoffMultiplier", "1"},
                                   {"retryableStatusCodes", "[14]"}}) {
    const std::string_view given = key == name ? value : usual;
    if (given.empty()) continue;
    absl::StrAppend(&json, json.back() == '{' ? "" : ",", "\"", std::string(key), "\":", std::string(given));
  }
  return json + "}";
}

TEST(ServiceConfigTest, MaxAttemptsIsAtLeastTwoAndAboveFiveCountsAsFive) {
  EXPECT_EQ(OnlyMethod(RetryWith("maxAttempts", "2")).retry->max_attempts, 2);
  EXPECT_EQ(OnlyMethod(RetryWith("maxAttempts", "5")).retry->max_attempts, 5);
  EXPECT_EQ(OnlyMethod(RetryWith("maxAttempts", "6")).retry->max_attempts, 5);
  for (const char* wrong : {"1", "0", "-3", "2.5", "\"x\"", "[]", "5000000000"}) {
    EXPECT_THAT(
        MethodMistake(RetryWith("maxAttempts", wrong)),
        HasSubstr("methodConfig[0].retryPolicy.maxAttempts: expected a whole number from 2 to 4294967295, got "));
  }
}

TEST(ServiceConfigTest, RetryPolicyNeedsAllItsFields) {
  const std::string path = "methodConfig[0].retryPolicy.";
  EXPECT_EQ(MethodMistake(RetryWith("maxAttempts", "")),
            path + "maxAttempts: expected a whole number of at least 2, got nothing");
  EXPECT_EQ(MethodMistake(RetryWith("initialBackoff", "")),
            path + "initialBackoff: expected seconds such as \"0.1s\", got nothing");
  EXPECT_EQ(MethodMistake(RetryWith("initialBackoff", "\"0s\"")),
            path + "initialBackoff: expected more than \"0s\", got \"0s\"");
  EXPECT_EQ(MethodMistake(RetryWith("maxBackoff", "\"0s\"")),
            path + "maxBackoff: expected more than \"0s\", got \"0s\"");
  EXPECT_EQ(MethodMistake(RetryWith("backoffMultiplier", "0")),
            path + "backoffMultiplier: expected a number over 0, got 0");
  EXPECT_EQ(MethodMistake(RetryWith("backoffMultiplier", "")),
            path + "backoffMultiplier: expected a number over 0, got nothing");
  EXPECT_EQ(MethodMistake(RetryWith("retryableStatusCodes", "")),
            path + "retryableStatusCodes: expected at least one status code, got nothing");
  EXPECT_EQ(MethodMistake(RetryWith("retryableStatusCodes", "[]")),
            path + "retryableStatusCodes: expected at least one status code, got a list");
  EXPECT_EQ(MethodMistake(RetryWith("retryableStatusCodes", "[14,\"GONE\"]")),
            path + "retryableStatusCodes[1]: expected a status code such as \"UNAVAILABLE\" or 14, got \"GONE\"");
  for (const char* wrong : {"[0]", "[\"OK\"]", "[17]", "[1.5]", "[null]", "[-1]"}) {
    EXPECT_THAT(MethodMistake(RetryWith("retryableStatusCodes", wrong)), HasSubstr("expected a status code"));
  }
}

TEST(ServiceConfigTest, HedgingPolicy) {
  const MethodConfig config =
      OnlyMethod(R"("hedgingPolicy":{"maxAttempts":9,"hedgingDelay":"0.5s","nonFatalStatusCodes":["UNAVAILABLE"]})");
  ASSERT_TRUE(config.hedging.has_value());
  EXPECT_EQ(config.hedging->max_attempts, 5);
  EXPECT_EQ(config.hedging->delay, absl::Milliseconds(500));
  EXPECT_TRUE(config.hedging->non_fatal.Has(absl::StatusCode::kUnavailable));
  const MethodConfig all_at_once = OnlyMethod(R"("hedgingPolicy":{"maxAttempts":2})");
  EXPECT_EQ(all_at_once.hedging->delay, absl::ZeroDuration());
  EXPECT_TRUE(all_at_once.hedging->non_fatal.empty());
  EXPECT_EQ(MethodMistake(RetryWith("", "") + R"(,"hedgingPolicy":{"maxAttempts":2})"),
            "methodConfig[0]: expected retryPolicy or hedgingPolicy, got both");
}

TEST(ServiceConfigTest, RetryThrottling) {
  const auto config = Parsed(R"({"retryThrottling":{"maxTokens":10,"tokenRatio":0.1239}})");
  EXPECT_EQ(config->retry_throttling->max_tokens, 10);
  EXPECT_DOUBLE_EQ(config->retry_throttling->token_ratio, 0.123);
  EXPECT_EQ(Parsed(R"({"retryThrottling":{"maxTokens":1000,"tokenRatio":1}})")->retry_throttling->max_tokens, 1000);
  EXPECT_EQ(Mistake(R"({"retryThrottling":{"maxTokens":1001,"tokenRatio":0.0009}})"),
            "retryThrottling.maxTokens: expected a number over 0, up to 1000, got 1001; "
            "retryThrottling.tokenRatio: expected a number of at least 0.001, got 0.0009");
  EXPECT_EQ(Mistake(R"({"retryThrottling":{"maxTokens":0}})"),
            "retryThrottling.maxTokens: expected a number over 0, up to 1000, got 0; "
            "retryThrottling.tokenRatio: expected a number of at least 0.001, got nothing");
}

TEST(ServiceConfigTest, LoadBalancingIsAListOfNamesWithTheirConfig) {
  const auto config = Parsed(R"({"loadBalancingConfig":[{"fancy":{"a":[1,"x",true,null]}},{"round_robin":{}}],
                                 "loadBalancingPolicy":"GRPCLB"})");
  ASSERT_EQ(config->load_balancing.size(), 2u);
  EXPECT_EQ(config->load_balancing[0].policy, "fancy");
  ASSERT_NE(config->load_balancing[0].config.Find("a"), nullptr);
  EXPECT_EQ(*config->load_balancing[0].config.Find("a"),
            JsonValue(JsonValue::Array{JsonValue(1.0), JsonValue(std::string("x")), JsonValue(true), JsonValue()}));
  EXPECT_EQ(config->load_balancing[1].policy, "round_robin");
  for (const char* wrong : {"{}", "{\"a\":{},\"b\":{}}", "\"round_robin\"", "{\"a\":1}"}) {
    EXPECT_THAT(Mistake(absl::StrCat("{\"loadBalancingConfig\":[", wrong, "]}")),
                HasSubstr("loadBalancingConfig[0]: expected an object with one field, {\"policy\": {...}}, got "));
  }
}

TEST(ServiceConfigTest, OldNameOfAPolicyCountsWithoutAList) {
  const auto config = Parsed(R"({"loadBalancingPolicy":"ROUND_ROBIN"})");
  ASSERT_EQ(config->load_balancing.size(), 1u);
  EXPECT_EQ(config->load_balancing[0].policy, "round_robin");
}

TEST(ServiceConfigTest, HealthCheck) {
  EXPECT_EQ(Parsed(R"({"healthCheckConfig":{"serviceName":"a.B"}})")->health_check_service, "a.B");
  EXPECT_EQ(Parsed(R"({"healthCheckConfig":{"serviceName":""}})")->health_check_service, "");
  EXPECT_EQ(Parsed(R"({"healthCheckConfig":{}})")->health_check_service, std::nullopt);
}

// ---- mistakes -------------------------------------------------------------------------------------------------------

TEST(ServiceConfigTest, AllMistakesAreSaidAtOnce) {
  EXPECT_EQ(Mistake(R"({"methodConfig":[{"name":[5],"timeout":1},{"name":{},"waitForReady":"yes"},7],
                        "loadBalancingConfig":"x","healthCheckConfig":{"serviceName":3}})"),
            "loadBalancingConfig: expected a list, got \"x\"; "
            "methodConfig[0].timeout: expected seconds such as \"1.5s\", got 1; "
            "methodConfig[0].name[0]: expected an object, got 5; "
            "methodConfig[1].waitForReady: expected true or false, got \"yes\"; "
            "methodConfig[1].name: expected a list, got an object; "
            "methodConfig[2]: expected an object, got 7; "
            "healthCheckConfig.serviceName: expected a string, got 3");
}

TEST(ServiceConfigTest, TextThatIsNoJsonObjectIsSaidInTheParsersWords) {
  for (const char* wrong : {"", "[]", "5", "{", "{\"a\":}", "{} {}", "{\"a\":1,\"a\":2"}) {
    EXPECT_THAT(Mistake(wrong), HasSubstr("expected a JSON object, got: "));
  }
}

TEST(ParseJsonTest, NestingIsLimited) {
  std::string deep = "1";
  for (int i = 0; i < 20; ++i) deep = "{\"a\":[" + deep + "]}";
  EXPECT_TRUE(ParseJson(deep).ok()) << ParseJson(deep).status();
  for (int i = 0; i < 10000; ++i) deep = "{\"a\":[" + deep + "]}";
  EXPECT_FALSE(ParseJson(deep).ok());
}

}  // namespace
}  // namespace weir
