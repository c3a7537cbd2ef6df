// LoadReport: what an interop server reports of its load, per call and out of band (gRFC A51). Any thread.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>

#include "absl/time/time.h"
#include "grpc/testing/messages.pb.h"
#include "tests/interop/cases/orca_load_report.pb.h"
#include "tests/interop/cases/orca_service.pb.h"

namespace weir::interop {

// Where the report of one call travels: in its trailing metadata.
inline constexpr char kLoadTrailer[] = "endpoint-load-metrics-bin";

inline xds::data::orca::v3::OrcaLoadReport ToLoadReport(const grpc::testing::TestOrcaReport& report) {
  xds::data::orca::v3::OrcaLoadReport load;
  load.set_cpu_utilization(report.cpu_utilization());
  load.set_mem_utilization(report.memory_utilization());
  *load.mutable_request_cost() = report.request_cost();
  *load.mutable_utilization() = report.utilization();
  return load;
}

// The pause between reports: as asked for, but short enough that a call that was cancelled is soon seen to be.
inline absl::Duration ReportInterval(const xds::service::orca::v3::OrcaLoadReportRequest& request) {
  const absl::Duration asked =
      absl::Seconds(request.report_interval().seconds()) + absl::Nanoseconds(request.report_interval().nanos());
  return std::clamp(asked, absl::Milliseconds(10), absl::Seconds(1));
}

class LoadReport {
 public:
  void Set(const grpc::testing::TestOrcaReport& report) {
    const std::lock_guard lock(mutex_);
    current_ = ToLoadReport(report);
  }
  xds::data::orca::v3::OrcaLoadReport Get() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

 private:
  mutable std::mutex mutex_;
  xds::data::orca::v3::OrcaLoadReport current_;
};

}  // namespace weir::interop
