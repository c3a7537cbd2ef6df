// What the tests of retries have in common: service configs of bench.Echo, calls that log how they end, and answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/tests/support/client_script.h"

namespace weir::testing {

// All methods with these fields, and the rest of the config.
inline ChannelOptions WithMethodConfig(const std::string& fields, const std::string& more = "") {
  ChannelOptions options;
  options.service_config =
      ParseServiceConfig(absl::StrCat("{\"methodConfig\":[{\"name\":[{}],", fields, "}]", more, "}"));
  if (!options.service_config.ok()) std::abort();
  return options;
}

// Four attempts, 100 ms, 200 ms, 400 ms between them, after UNAVAILABLE and ABORTED.
inline ChannelOptions Retrying(const std::string& more = "") {
  return WithMethodConfig(R"("retryPolicy":{"maxAttempts":4,"initialBackoff":"0.1s","maxBackoff":"10s",
      "backoffMultiplier":2,"retryableStatusCodes":["UNAVAILABLE","ABORTED"]})",
                          more);
}

// Three attempts, one every second; UNAVAILABLE is not fatal.
inline ChannelOptions Hedging(const std::string& delay = "1s", const std::string& more = "") {
  return WithMethodConfig(
      absl::StrCat(R"("hedgingPolicy":{"maxAttempts":3,"hedgingDelay":")", delay, R"(","nonFatalStatusCodes":[14]})"),
      more);
}

inline std::string EndLine(const absl::Status& status) {
  std::string line = absl::StrCat(Line(status), IsUnprocessed(status) ? " (unprocessed)" : "");
  const std::optional<Why> why = WhyOf(status);
  if (why.has_value() && why->attempt != 1) absl::StrAppend(&line, " (attempt ", why->attempt, ")");
  return line;
}

inline Task<void> CallWith(ClientWorld& world, CallOptions options) {
  TestCall call = world.Call("Unary", "hello", options);
  absl::StatusOr<bench::Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : EndLine(reply.status()));
}

inline Task<void> CallUnary(ClientWorld& world) { return CallWith(world, CallOptions()); }
inline Task<void> CallFor10s(ClientWorld& world) { return CallWith(world, CallOptions().Timeout(absl::Seconds(10))); }
inline Task<void> CallOnce(ClientWorld& world) { return CallWith(world, CallOptions().NoRetry()); }

inline std::string Reply(int stream_id, std::string_view body) {
  return ResponseHead(stream_id) + "\n" + Data(stream_id, Message(body)) + "\n" + Trailers(stream_id);
}

// A Trailers-Only response.
inline std::string Failure(int stream_id, std::string_view fields) {
  return absl::StrCat("HEADERS ", stream_id, " END_STREAM :status=200 content-type=application/grpc ",
                      std::string(fields));
}
inline std::string Unavailable(int stream_id, std::string_view more = "") {
  return Failure(stream_id, absl::StrCat("grpc-status=14 grpc-message=busy ", std::string(more)));
}

// The head of attempt `number`, and its message.
inline std::string AttemptLine(int stream_id, std::string_view method, int number) {
  std::string head = absl::StrCat("HEADERS ", stream_id, " :method=POST :scheme=http :path=/bench.Echo/",
                                  std::string(method), " :authority=test te=trailers content-type=application/grpc ");
  absl::StrAppend(&head, "grpc-accept-encoding=identity,gzip,deflate ");
  if (number > 1) absl::StrAppend(&head, "grpc-previous-rpc-attempts=", number - 1, " ");
  return head + "user-agent=...";
}

}  // namespace weir::testing
