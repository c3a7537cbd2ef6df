// Why: who ended a failed call, how far it had come, and whether it may be repeated: a value inside its absl::Status.
//
//   absl::StatusOr<Reply> reply = co_await greeter.SayHello(request);
//   if (!reply.ok()) std::cerr << weir::Explain(reply.status()) << "\n";
//   if (const auto why = weir::WhyOf(reply.status()); why && why->SafeToRetry()) ...
//
// Made for calls that fail, and only then. It is a payload of the status, in words (ToString): it goes where the status
// goes, but never over the wire. The status of a nested call that a handler returns keeps it inside the process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace weir {

struct Why {
  // Who decided that the call fails.
  enum class By : uint8_t {
    kPeer,      // the other side: a status, RST_STREAM, GOAWAY, an HTTP status
    kUs,        // this side: a limit, a rule that the peer broke, a server that shuts down
    kDeadline,  // of the call
    kCaller,    // Cancel, a call that was dropped, a channel that was closed
    kNetwork,   // no name, no connection, or it was lost
  };

  // How far the call had come.
  enum class Phase : uint8_t {
    kStart,        // target, metadata and request were being checked
    kResolve,      // the target's name
    kConnect,      // until the server's SETTINGS came
    kQueue,        // for a place: the server allows only so many calls on a connection
    kCredentials,  // a connection was there, and the metadata of the call's credentials was not
    kHeaders,      // a stream was open, and no response head had come; the status of a Trailers-Only response came here
    kBody,         // the response head had come; on a server: the handler ran
    kTrailers,
  };

  // What the server has done with the call.
  enum class Processed : uint8_t {
    kNo,  // nothing: it never got it, or says that it has not looked at it
    kUnknown,
    kYes,  // it has answered
  };

  By by = By::kUs;
  Phase phase = Phase::kStart;
  Processed processed = Processed::kUnknown;
  std::string
      http2{};         // what HTTP/2 said: `RST_STREAM CANCEL(8)`, `GOAWAY NO_ERROR(0) "max_age"`, `HTTP 503`; or empty
  std::string method;  // "/package.Service/Method"
  std::string target;  // of the channel; empty on a server
  std::string peer;    // its address; empty while there is no connection
  absl::Duration elapsed;  // since the call was made, by the clock of its loop; in microseconds; zero on a server
  int attempt = 1;         // of the call, counted from 1 (retries)

  // May the call be made again, whatever its method does?
  bool SafeToRetry() const { return processed == Processed::kNo; }
};

// nullopt if nobody has said why: the status of something that is no call, or OK.
std::optional<Why> WhyOf(const absl::Status& status);

// One line for a log: code and text of the status, and the why in words. "OK" if it is.
std::string Explain(const absl::Status& status);

// For those who end calls: the status with this why in place of any other. OK stays OK.
absl::Status WithWhy(absl::Status status, const Why& why);

// by=peer phase=body processed=yes elapsed=10s attempt=1 method=/a.B/C target=x:50051 peer=10.0.0.7:50051 http2=HTTP
// 503
std::string ToString(const Why& why);

}  // namespace weir
