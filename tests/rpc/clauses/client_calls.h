// Calls that the scripts of this folder make on a channel. Each logs what it sees.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/tests/support/client_script.h"

namespace weir::testing {

// "ABORTED: text"; behind it, if the server never saw the call, " (unprocessed)": it may be made again.
inline std::string EndLine(const absl::Status& status) {
  return absl::StrCat(Line(status), IsUnprocessed(status) ? " (unprocessed)" : "");
}

inline void LogMetadata(ClientWorld& world, const std::string& what, const Metadata& metadata) {
  for (const auto& [key, value] : metadata) world.Log(absl::StrCat(what, " ", key, "=", value));
}

// "reply hi" or the status, then "trailing key=value". One attempt: the scripts are about what the first one tells.
inline Task<void> CallUnary(ClientWorld& world) {
  const CallOptions options = CallOptions().NoRetry();
  TestCall call = world.Call("Unary", "hello", options);
  absl::StatusOr<bench::Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : EndLine(reply.status()));
  LogMetadata(world, "trailing", call.trailing_metadata());
}

// "initial key=value", "read a", ..., the status, "trailing key=value".
inline Task<void> CallStream(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  Metadata initial = co_await call.InitialMetadata();
  LogMetadata(world, "initial", initial);
  while (std::optional<bench::Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
  LogMetadata(world, "trailing", call.trailing_metadata());
}

// With a deadline of ten seconds; reads only after "go on".
inline Task<void> CallStreamLater(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "", CallOptions().Timeout(absl::Seconds(10)));
  co_await world.signal("go on");
  while (std::optional<bench::Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

// Writes for ten seconds at most, and reads nothing.
inline Task<void> WriteForEver(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho", CallOptions().Timeout(absl::Seconds(10)));
  while (co_await call.Write("aaaaaaaaaa")) {
  }
  world.Log("refused");
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

// Head, one message and trailers of a good answer.
inline std::string Answer(int stream_id, std::string_view body) {
  return ResponseHead(stream_id) + "\n" + Data(stream_id, Message(body)) + "\n" + Trailers(stream_id);
}

}  // namespace weir::testing
