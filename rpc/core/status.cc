#include "weir/rpc/core/status.h"

#include <new>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "weir/rpc/core/why.h"

namespace weir {
namespace {

// A payload is named after the type of what it holds.
constexpr char kDetailsPayload[] = "type.googleapis.com/google.rpc.Status";
constexpr int kGrpcNumberMax = 16;  // UNAUTHENTICATED

static_assert(static_cast<int>(absl::StatusCode::kOk) == 0);
static_assert(static_cast<int>(absl::StatusCode::kUnauthenticated) == kGrpcNumberMax);

}  // namespace

absl::Status MarkUnprocessed(absl::Status status) {
  Why why = WhyOf(status).value_or(Why());
  why.processed = Why::Processed::kNo;
  return WithWhy(std::move(status), why);
}

absl::Status Unshared(const absl::Status& status) {
  absl::Status own(status.code(), status.message());
  status.ForEachPayload([&own](absl::string_view type, const absl::Cord& payload) {
    own.SetPayload(type, absl::Cord(std::string(payload)));
  });
  return own;
}

absl::Status OutOfMemory() noexcept {
  try {
    return absl::ResourceExhaustedError("out of memory");
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }
}

bool IsUnprocessed(const absl::Status& status) {
  const std::optional<Why> why = WhyOf(status);
  return why.has_value() && why->SafeToRetry();
}

void SetEncodedDetails(absl::Status* status, std::string_view google_rpc_status) {
  if (google_rpc_status.empty()) {
    status->ErasePayload(kDetailsPayload);
  } else {
    status->SetPayload(kDetailsPayload, absl::Cord(std::string(google_rpc_status)));  // does nothing if OK
  }
}

std::string EncodedDetails(const absl::Status& status) {
  const auto payload = status.GetPayload(kDetailsPayload);
  return payload.has_value() ? std::string(*payload) : std::string();
}

absl::StatusCode CodeFromGrpcNumber(uint64_t number) {
  return number <= kGrpcNumberMax ? static_cast<absl::StatusCode>(number) : absl::StatusCode::kUnknown;
}

int GrpcNumberFromCode(absl::StatusCode code) {
  const int number = static_cast<int>(code);
  return number >= 0 && number <= kGrpcNumberMax ? number : static_cast<int>(absl::StatusCode::kUnknown);
}

}  // namespace weir
