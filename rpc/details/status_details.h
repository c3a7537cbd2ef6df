// Details of a status: messages beside its code and text, as gRPC's "richer error model" has them.
//
//   google::rpc::BadRequest bad;                               // google/rpc/error_details.pb.h, or any other message
//   ...
//   co_return weir::WithDetail(absl::InvalidArgumentError("the address is incomplete"), bad);      // a handler
//
//   if (auto bad = weir::GetDetail<google::rpc::BadRequest>(reply.status())) ...                    // its client
//
// They live inside the absl::Status, so whoever passes the status on passes them on, and travel as an encoded
// google.rpc.Status (grpc-status-details-bin): grpc++ and others see the same. Its code and text repeat the status's;
// if a peer sends others there, those of the status count. A server leaves the details away if they make the trailers
// longer than the client takes (8 KiB with many clients): the code and the text still arrive.
//
// Functions of values: any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/message.h"

namespace weir {

// The status with one more detail, behind those it has; the same type may come again. OK stays OK, without details.
absl::Status WithDetail(absl::Status status, const google::protobuf::Message& detail);

// All details in their order, also of types that this program does not know. None if what came is no google.rpc.Status.
std::vector<google::protobuf::Any> AllDetails(const absl::Status& status);

// All details of one type, in their order. One whose bytes are not an M is left out.
template <class M>
std::vector<M> GetDetails(const absl::Status& status) {
  std::vector<M> details;
  for (const google::protobuf::Any& any : AllDetails(status)) {
    M detail;
    if (any.Is<M>() && any.UnpackTo(&detail)) details.push_back(std::move(detail));
  }
  return details;
}

// The first of them.
template <class M>
std::optional<M> GetDetail(const absl::Status& status) {
  std::vector<M> details = GetDetails<M>(status);
  if (details.empty()) return std::nullopt;
  return std::move(details.front());
}

}  // namespace weir
