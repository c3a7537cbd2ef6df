// CallOptions: what may be set for one call.
//
//   greeter.SayHello(request, weir::CallOptions().Timeout(absl::Seconds(5)).Metadata("tenant", "blue"))
//
// A class with constructors, not an aggregate: g++ 12 destroys aggregate temporaries in co_await expressions twice.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "weir/rpc/core/metadata.h"

namespace weir {

class CallOptions {
 public:
  CallOptions() {}

  // The call ends with DEADLINE_EXCEEDED this long after it was made, wherever it is by then; the server is told
  // (grpc-timeout). Without, a call waits for ever. Zero or less: it ends at once.
  CallOptions& Timeout(absl::Duration timeout) {
    timeout_ = timeout;
    return *this;
  }
  CallOptions& Deadline(absl::Time deadline) { return Timeout(deadline - absl::Now()); }

  // Adds a pair to the request's metadata; see weir::Metadata for what is legal. An illegal one fails the call.
  CallOptions& Metadata(std::string_view key, std::string_view value) {
    metadata_.Add(key, value);
    return *this;
  }

  // Compresses the messages that this call sends: "gzip", or another of ChannelOptions::compressors; "identity" for none.
  // Without: as ChannelOptions::compression says. A name that the channel does not know fails the call with INTERNAL.
  CallOptions& Compression(std::string_view encoding) {
    compression_ = encoding;
    return *this;
  }

  const std::optional<absl::Duration>& timeout() const { return timeout_; }
  const weir::Metadata& metadata() const { return metadata_; }
  const std::string& compression() const { return compression_; }

 private:
  std::optional<absl::Duration> timeout_;
  weir::Metadata metadata_;
  std::string compression_;  // empty: the channel's
};

}  // namespace weir
