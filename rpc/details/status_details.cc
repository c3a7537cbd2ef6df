#include "weir/rpc/details/status_details.h"

#include <iterator>

#include "google/rpc/status.pb.h"
#include "weir/rpc/core/status.h"

namespace weir {

absl::Status WithDetail(absl::Status status, const google::protobuf::Message& detail) {
  if (status.ok()) return status;
  google::rpc::Status encoded;
  // What is there and cannot be parsed is replaced: nobody could read it.
  if (!encoded.ParseFromString(EncodedDetails(status))) encoded.Clear();
  encoded.set_code(GrpcNumberFromCode(status.code()));
  encoded.set_message(std::string(status.message()));
  encoded.add_details()->PackFrom(detail);
  SetEncodedDetails(&status, encoded.SerializeAsString());
  return status;
}

std::vector<google::protobuf::Any> AllDetails(const absl::Status& status) {
  google::rpc::Status encoded;
  if (!encoded.ParseFromString(EncodedDetails(status))) return {};
  return {std::make_move_iterator(encoded.mutable_details()->begin()),
          std::make_move_iterator(encoded.mutable_details()->end())};
}

}  // namespace weir
