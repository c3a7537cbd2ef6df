// The official ORCA cases: the server's load in the trailers of a call, and out of band.
#include <algorithm>
#include <string>

#include "google/protobuf/util/message_differencer.h"
#include "google/protobuf/util/time_util.h"
#include "tests/interop/cases/case_table.h"

namespace weir::interop {
namespace {

using google::protobuf::util::MessageDifferencer;
using grpc::testing::TestOrcaReport;
using xds::data::orca::v3::OrcaLoadReport;

TestOrcaReport MakeReport(double cpu, double memory, double util) {
  TestOrcaReport report;
  report.set_cpu_utilization(cpu);
  report.set_memory_utilization(memory);
  (*report.mutable_utilization())["util"] = util;
  return report;
}

OrcaLoadReport AsLoadReport(const TestOrcaReport& report) {
  OrcaLoadReport load;
  load.set_cpu_utilization(report.cpu_utilization());
  load.set_mem_utilization(report.memory_utilization());
  *load.mutable_request_cost() = report.request_cost();
  *load.mutable_utilization() = report.utilization();
  return load;
}

// Has the server report `report`, and reads until it does; the deadline of the calls ends the wait.
void ExpectReported(Trial& trial, OutputStream& calls, LoadStream& reports, const TestOrcaReport& report) {
  grpc::testing::StreamingOutputCallRequest request;
  *request.mutable_orca_oob_report() = report;
  request.add_response_parameters()->set_size(1);
  trial.Expect("FullDuplexCall accepts the request", calls.Write(request));
  if (!trial.Expect("FullDuplexCall answers", calls.Read().has_value())) return;
  const OrcaLoadReport expected = AsLoadReport(report);
  std::optional<OrcaLoadReport> got;
  do {
    got = reports.Read();
  } while (got.has_value() && !MessageDifferencer::Equals(*got, expected));
  if (!got.has_value()) {
    trial.Fail(absl::StrCat("StreamCoreMetrics: expected ", expected.ShortDebugString(),
                            ", got the end: ", reports.Finish().status.ToString()));
  }
}

}  // namespace

void OrcaPerRpc(Trial& trial) {
  grpc::testing::SimpleRequest request;
  *request.mutable_orca_per_query_report() = MakeReport(0.8210, 0.5847, 0.30499);
  (*request.mutable_orca_per_query_report()->mutable_request_cost())["cost"] = 3456.32;
  const Outcome<grpc::testing::SimpleResponse> got = trial.client().UnaryCall(request);
  if (!trial.ExpectOk("UnaryCall", got.status)) return;

  const std::string key = "endpoint-load-metrics-bin";
  const auto found =
      std::find_if(got.trailing.begin(), got.trailing.end(), [&](const auto& entry) { return entry.first == key; });
  if (!trial.Expect("the trailers have " + key, found != got.trailing.end())) return;
  OrcaLoadReport load;
  trial.Expect(key + " is an OrcaLoadReport", load.ParseFromString(found->second));
  const OrcaLoadReport expected = AsLoadReport(request.orca_per_query_report());
  if (!MessageDifferencer::Equals(load, expected)) {
    trial.Fail(absl::StrCat(key, ": expected ", expected.ShortDebugString(), ", got ", load.ShortDebugString()));
  }
}

void OrcaOob(Trial& trial) {
  const CallSetup setup = CallSetup::Timeout(absl::Seconds(20));
  xds::service::orca::v3::OrcaLoadReportRequest often;
  *often.mutable_report_interval() = google::protobuf::util::TimeUtil::MillisecondsToDuration(50);
  auto reports = trial.client().StreamCoreMetrics(often, setup);
  auto calls = trial.client().FullDuplexCall(setup);
  ExpectReported(trial, *calls, *reports, MakeReport(0.8210, 0.5847, 0.30499));
  ExpectReported(trial, *calls, *reports, MakeReport(0.29309, 0.2, 0.2039));
  reports->Cancel();
  calls->WritesDone();
  trial.Expect("FullDuplexCall sends nothing more", !calls->Read().has_value());
  trial.ExpectOk("FullDuplexCall", calls->Finish().status);
}

}  // namespace weir::interop
