#include "tests/interop/orca_service.h"

#include "tests/interop/sleep.h"

namespace weir::interop {

Task<absl::Status> OrcaServiceImpl::StreamCoreMetrics(ServerContext&,
                                                      const xds::service::orca::v3::OrcaLoadReportRequest& request,
                                                      Writer<xds::data::orca::v3::OrcaLoadReport>& writer) {
  const xds::data::orca::v3::OrcaLoadReport first = load_.Get();
  bool wanted = co_await writer.Write(first);
  while (wanted) {
    co_await SleepOnLoop(ReportInterval(request));
    const xds::data::orca::v3::OrcaLoadReport next = load_.Get();
    wanted = co_await writer.Write(next);
  }
  co_return absl::CancelledError("the client wants no more reports");
}

}  // namespace weir::interop
