// CallOptions: what may be set for one call.
//
//   greeter.SayHello(request, weir::CallOptions().Timeout(absl::Seconds(5)).Metadata("tenant", "blue"))
//
// A class with constructors, not an aggregate: g++ 12 destroys aggregate temporaries in co_await expressions twice.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "weir/rpc/client/call_credentials/call_credentials_list.h"
#include "weir/rpc/core/interceptors.h"
#include "weir/rpc/core/metadata.h"

namespace weir {

class ParentCall;
struct Inherited;

class CallOptions {
 public:
  CallOptions() {}

  // The call ends with DEADLINE_EXCEEDED this long after it was made, wherever it is by then; the server is told
  // (grpc-timeout). Without, ChannelOptions::default_timeout counts; InfiniteDuration: none, whatever that says. Zero
  // or less: it ends at once.
  CallOptions& Timeout(absl::Duration timeout) {
    timeout_ = timeout;
    return *this;
  }
  CallOptions& Deadline(absl::Time deadline);

  // Adds a pair to the request's metadata; see weir::Metadata for what is legal. An illegal one fails the call.
  CallOptions& Metadata(std::string_view key, std::string_view value) {
    metadata_.Add(key, value);
    return *this;
  }

  // Compresses the messages that this call sends: "gzip", or another of ChannelOptions::compressors; "identity" for
  // none. Without: as ChannelOptions::compression says. A name that the channel does not know fails the call with
  // INTERNAL.
  CallOptions& Compression(std::string_view encoding) {
    compression_ = encoding;
    return *this;
  }

  // Whether the call waits, until its deadline, where it would fail because the server cannot be connected to. Without:
  // it fails with the reason as soon as an attempt has failed (gRPC wait-for-ready).
  CallOptions& WaitForReady(bool wait = true) {
    wait_for_ready_ = wait;
    return *this;
  }

  // One attempt, whatever the service config says, and also where the server says that it has not looked at the call.
  CallOptions& NoRetry() {
    retry_ = false;
    return *this;
  }

  // The call is made on behalf of `parent`, the handler's context: it ends by the parent's deadline if that is sooner
  // than its own, with CANCELLED when the parent is cancelled, and carries the parent's trace context (traceparent,
  // tracestate), but for fields that are set here too. `parent` is used in this function only.
  CallOptions& Parent(const ParentCall& parent);

  // Runs `interceptor` around this call, inside the channel's and those that were named here before. Not null.
  CallOptions& Intercept(std::shared_ptr<Interceptor> interceptor);

  // Adds to the request what `credentials` give, after the channel's and those that were named here before. Not null.
  // call_credentials/call_credentials.h: when they are asked, and where they are not sent.
  CallOptions& Credentials(std::shared_ptr<CallCredentials> credentials);

  const std::shared_ptr<const Inherited>& parent() const { return parent_; }
  const std::optional<absl::Duration>& timeout() const { return timeout_; }
  const weir::Metadata& metadata() const { return metadata_; }
  const std::string& compression() const { return compression_; }
  const std::shared_ptr<const Interceptors>& interceptors() const { return interceptors_; }       // null: none
  const std::shared_ptr<const CallCredentialsList>& credentials() const { return credentials_; }  // null: none
  const std::optional<bool>& wait_for_ready() const { return wait_for_ready_; }
  bool retry() const { return retry_; }

 private:
  std::optional<absl::Duration> timeout_;
  weir::Metadata metadata_;
  std::string compression_;  // empty: the channel's
  std::optional<bool> wait_for_ready_;
  bool retry_ = true;
  std::shared_ptr<const Inherited> parent_;
  std::shared_ptr<const Interceptors> interceptors_;
  std::shared_ptr<const CallCredentialsList> credentials_;
};

}  // namespace weir
