// BlockingCredentials: credentials by a function that may block: one that reads a file, asks a key store, or waits for
// a library that has no other way.
//
//   auto credentials = weir::BlockingCredentials([](const weir::CredentialsRequest& request) {
//     return absl::StatusOr<weir::Metadata>(weir::Metadata{{"authorization", "Bearer " + ReadToken()}});
//   });
//
// The function runs on threads that belong to the credentials, `threads` at a time; further calls wait their turn. It
// is called for every attempt: one that is slow should keep what it got as long as that is good. A call that ends
// meanwhile does not wait for it. An exception is UNKNOWN. Destroying the last reference waits for those that run.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "weir/rpc/client/call_credentials/call_credentials.h"

namespace weir {

using BlockingMetadataFunction = std::function<absl::StatusOr<Metadata>(const CredentialsRequest& request)>;

std::shared_ptr<CallCredentials> BlockingCredentials(BlockingMetadataFunction function, size_t threads = 1);

}  // namespace weir
