// CallCredentials: metadata that says on whose behalf a call is made, and proves it: a token.
//
//   class Refreshing final : public weir::CallCredentials {
//     weir::Task<absl::StatusOr<weir::Metadata>> GetMetadata(const weir::CredentialsRequest& request) override {
//       absl::StatusOr<std::string> token = co_await TokenFor(request.service_url());
//       if (!token.ok()) co_return token.status();
//       co_return weir::Metadata{{"authorization", "Bearer " + *token}};
//     }
//   };
//   weir::Channel channel(target, weir::CompositeChannelCredentials(weir::TlsCredentials(), credentials)); // all calls
//   client.SayHello(request, weir::CallOptions().Credentials(credentials));                               // this call
//
// A call with both asks the channel's first, then its own; the request carries its own metadata, then theirs, in this
// order. Every attempt of a retried call asks again.
//
// Sent over TLS and where nothing leaves the machine (Unix sockets, servers in this process). Over any other connection
// a call with credentials ends with UNAUTHENTICATED before they are asked, unless
// ChannelOptions::call_credentials_over_plaintext says that everybody on the way may have them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/rpc/client/call_credentials/call_credentials_list.h"
#include "weir/rpc/client/call_credentials/connection_security.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/task.h"

namespace weir {

// For which call.
class CredentialsRequest {
 public:
  // `path`: "/package.Service/Method".
  CredentialsRequest(std::string_view authority, std::string_view path, ConnectionSecurity security);

  // What a token may be for: "https://greeter.internal/hello.Greeter"; without the port if that is 443.
  const std::string& service_url() const { return service_url_; }
  const std::string& method_name() const { return method_name_; }  // "SayHello"
  const std::string& authority() const { return authority_; }      // of the call: "greeter.internal:443"
  ConnectionSecurity security() const { return security_; }        // of the connection that was picked

 private:
  std::string service_url_;
  std::string method_name_;
  std::string authority_;
  ConnectionSecurity security_;
};

// One object serves all calls of its channels, on as many threads as these have loops.
class CallCredentials {
 public:
  virtual ~CallCredentials() = default;

  // The metadata that the call is to carry, or why it cannot be made. Runs on the loop of the call and must not block
  // (BlockingCredentials may); it may wait, until the call ends, by its deadline or otherwise: the coroutine is
  // destroyed then. `request` and *this live until it returns.
  //
  // A failure is that of the attempt. Statuses that only applications may give become INTERNAL (gRFC A54):
  // INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, DATA_LOSS; and so does
  // metadata that may not be sent (Metadata::Check). UNAVAILABLE does not make a call wait, wait-for-ready or not. An
  // exception is UNKNOWN.
  virtual Task<absl::StatusOr<Metadata>> GetMetadata(const CredentialsRequest& request) = 0;
};

}  // namespace weir
