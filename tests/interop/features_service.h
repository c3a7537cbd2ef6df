// weir.interop.Features on weir: what the server sees of a call, how handlers end, draining.
#pragma once

#include "tests/interop/cases/call_journal.h"
#include "tests/interop/cases/features.weir.pb.h"

namespace weir::interop {

class FeaturesServiceImpl final : public FeaturesService {
 public:
  Task<absl::StatusOr<InspectReply>> Inspect(ServerContext& context, const InspectRequest& request) override;
  Task<absl::Status> Hold(ServerContext& context, Reader<Note>& reader, Writer<Note>& writer) override;
  Task<absl::Status> Flood(ServerContext& context, const FloodRequest& request, Writer<Blob>& writer) override;
  Task<absl::StatusOr<Observation>> Observe(ServerContext& context, const ObserveRequest& request) override;
  Task<absl::StatusOr<DrainReply>> Drain(ServerContext& context, const DrainRequest& request) override;

 private:
  CallJournal journal_;
};

}  // namespace weir::interop
