// xds.service.orca.v3.OpenRcaService on weir: the load of the server, again and again, on a call that the client
// cancels.
#pragma once

#include "tests/interop/cases/load_report.h"
#include "tests/interop/cases/orca_service.weir.pb.h"

namespace weir::interop {

class OrcaServiceImpl final : public xds::service::orca::v3::OpenRcaServiceService {
 public:
  // `load` belongs to the caller and is reported as it is at the time.
  explicit OrcaServiceImpl(const LoadReport& load) : load_(load) {}

  Task<absl::Status> StreamCoreMetrics(ServerContext& context,
                                       const xds::service::orca::v3::OrcaLoadReportRequest& request,
                                       Writer<xds::data::orca::v3::OrcaLoadReport>& writer) override;

 private:
  const LoadReport& load_;
};

}  // namespace weir::interop
