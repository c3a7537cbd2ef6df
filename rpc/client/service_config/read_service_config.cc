#include "weir/rpc/client/service_config/read_service_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 17> kCodes = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

// By name in any case, or by number (gRFC A6, Integration with Service Config). Not OK: it is no failure.
std::optional<absl::StatusCode> CodeOf(const JsonValue& value) {
  size_t number = kCodes.size();
  if (const std::string* name = value.string()) {
    const auto it = std::find(kCodes.begin(), kCodes.end(), absl::AsciiStrToUpper(*name));
    number = static_cast<size_t>(it - kCodes.begin());
  } else if (const double* given = value.number(); given != nullptr && *given >= 0 &&
                                                   *given < static_cast<double>(kCodes.size()) &&
                                                   std::trunc(*given) == *given) {
    number = static_cast<size_t>(*given);
  }
  if (number == 0 || number >= kCodes.size()) return std::nullopt;
  return static_cast<absl::StatusCode>(number);
}

StatusCodes ReadCodes(const JsonReader& policy, std::string_view name) {
  StatusCodes codes;
  const JsonValue::Array* list = policy.List(name);
  if (list == nullptr) return codes;
  for (size_t i = 0; i < list->size(); ++i) {
    const std::optional<absl::StatusCode> code = CodeOf((*list)[i]);
    if (code.has_value()) {
      codes.Add(*code);
    } else {
      policy.WrongElement(name, i, "a status code such as \"UNAVAILABLE\" or 14", (*list)[i]);
    }
  }
  return codes;
}

template <class T>
T Required(const JsonReader& object, std::string_view name, std::optional<T> value, std::string_view expected) {
  if (value.has_value()) return *value;
  if (object.Find(name) == nullptr) object.Wrong(name, expected);  // otherwise it has been said
  return T();
}

int ReadMaxAttempts(const JsonReader& policy) {
  constexpr std::string_view kName = "maxAttempts";
  const uint32_t attempts = Required(policy, kName, policy.Whole(kName, 2), "a whole number of at least 2");
  return static_cast<int>(std::min<uint32_t>(attempts, kAttemptsMax));
}

absl::Duration ReadBackoff(const JsonReader& policy, std::string_view name) {
  const std::optional<absl::Duration> given = policy.Duration(name);
  if (given == absl::ZeroDuration()) policy.Wrong(name, "more than \"0s\"");
  return Required(policy, name, given, "seconds such as \"0.1s\"");
}

RetryPolicy ReadRetryPolicy(const JsonReader& json) {
  constexpr std::string_view kMultiplier = "backoffMultiplier";
  constexpr std::string_view kCodesName = "retryableStatusCodes";
  RetryPolicy policy;
  policy.max_attempts = ReadMaxAttempts(json);
  policy.initial_backoff = ReadBackoff(json, "initialBackoff");
  policy.max_backoff = ReadBackoff(json, "maxBackoff");
  const std::optional<double> multiplier = json.Number(kMultiplier);
  if (multiplier.has_value() && *multiplier <= 0) json.Wrong(kMultiplier, "a number over 0");
  policy.backoff_multiplier = Required(json, kMultiplier, multiplier, "a number over 0");
  policy.retryable = ReadCodes(json, kCodesName);
  const JsonValue* codes = json.Find(kCodesName);
  if (codes == nullptr || (codes->array() != nullptr && codes->array()->empty())) {
    json.Wrong(kCodesName, "at least one status code");
  }
  return policy;
}

HedgingPolicy ReadHedgingPolicy(const JsonReader& json) {
  HedgingPolicy policy;
  policy.max_attempts = ReadMaxAttempts(json);
  policy.delay = json.Duration("hedgingDelay").value_or(absl::ZeroDuration());
  policy.non_fatal = ReadCodes(json, "nonFatalStatusCodes");
  return policy;
}

MethodConfig ReadMethodConfig(const JsonReader& json) {
  MethodConfig config;
  config.timeout = json.Duration("timeout");
  config.wait_for_ready = json.Bool("waitForReady");
  config.max_request_message_bytes = json.Whole("maxRequestMessageBytes", 0);
  config.max_response_message_bytes = json.Whole("maxResponseMessageBytes", 0);
  if (const auto retry = json.Object("retryPolicy")) config.retry = ReadRetryPolicy(*retry);
  if (const auto hedging = json.Object("hedgingPolicy")) config.hedging = ReadHedgingPolicy(*hedging);
  if (config.retry.has_value() && config.hedging.has_value()) {
    json.Fail("expected retryPolicy or hedgingPolicy, got both");
  }
  return config;
}

void ReadNames(const JsonReader& entry, const MethodConfig& config, ServiceConfig* out) {
  const JsonValue::Array* names = entry.List("name");
  if (names == nullptr) return;  // "MethodConfig without names will be skipped"
  const auto shared = std::make_shared<const MethodConfig>(config);
  for (size_t i = 0; i < names->size(); ++i) {
    const JsonReader name = entry.Element("name", i, (*names)[i]);
    const std::string service = name.String("service").value_or("");
    const std::string method = name.String("method").value_or("");
    if (service.empty() && !method.empty()) {
      name.Fail(absl::StrCat("expected the service of method \"", method, "\", got none"));
    } else if (!out->Add(service, method, shared)) {
      name.Fail(
          absl::StrCat("expected each name once in all of methodConfig, got \"", service, "/", method, "\" again"));
    }
  }
}

RetryThrottling ReadThrottling(const JsonReader& json) {
  RetryThrottling throttling;
  const std::optional<double> tokens = json.Number("maxTokens");
  if (tokens.has_value() && (*tokens <= 0 || *tokens > 1000)) json.Wrong("maxTokens", "a number over 0, up to 1000");
  throttling.max_tokens = Required(json, "maxTokens", tokens, "a number over 0, up to 1000");
  // Of its decimals three count (gRFC A6, Throttling Configuration).
  std::optional<double> ratio = json.Number("tokenRatio");
  if (ratio.has_value()) ratio = std::floor(*ratio * 1000 + 1e-6) / 1000;
  if (ratio.has_value() && *ratio <= 0) json.Wrong("tokenRatio", "a number of at least 0.001");
  throttling.token_ratio = Required(json, "tokenRatio", ratio, "a number of at least 0.001");
  return throttling;
}

// A list of objects with one field each: the name of the policy, and what it reads.
void ReadLoadBalancing(const JsonReader& json, ServiceConfig* out) {
  constexpr std::string_view kName = "loadBalancingConfig";
  if (const JsonValue::Array* list = json.List(kName)) {
    for (size_t i = 0; i < list->size(); ++i) {
      const JsonValue::Object* choice = (*list)[i].object();
      if (choice == nullptr || choice->size() != 1 || choice->front().second.object() == nullptr) {
        json.WrongElement(kName, i, "an object with one field, {\"policy\": {...}}", (*list)[i]);
      } else {
        out->load_balancing.push_back({choice->front().first, choice->front().second});
      }
    }
    return;
  }
  // Its predecessor, a bare name; "loadBalancingConfig" wins if both are there.
  if (const auto policy = json.String("loadBalancingPolicy"); policy.has_value() && !policy->empty()) {
    out->load_balancing.push_back({absl::AsciiStrToLower(*policy), JsonValue(JsonValue::Object())});
  }
}

}  // namespace

ServiceConfig ReadServiceConfig(const JsonValue& json, JsonErrors* errors) {
  const JsonReader root(json, "", errors);
  ServiceConfig config;
  ReadLoadBalancing(root, &config);
  if (const JsonValue::Array* methods = root.List("methodConfig")) {
    for (size_t i = 0; i < methods->size(); ++i) {
      const JsonReader entry = root.Element("methodConfig", i, (*methods)[i]);
      ReadNames(entry, ReadMethodConfig(entry), &config);
    }
  }
  if (const auto throttling = root.Object("retryThrottling")) config.retry_throttling = ReadThrottling(*throttling);
  if (const auto health = root.Object("healthCheckConfig")) config.health_check_service = health->String("serviceName");
  return config;
}

}  // namespace weir
