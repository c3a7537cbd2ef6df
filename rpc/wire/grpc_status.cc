#include "weir/rpc/wire/grpc_status.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/wire/text_codec.h"

namespace weir::wire {
namespace {

constexpr std::string_view kDetails = "grpc-status-details-bin";

// "Status -> 1*DIGIT ; 0-9", without leading zeros.
constexpr std::string_view kNumbers[] = {"0", "1",  "2",  "3",  "4",  "5",  "6",  "7", "8",
                                         "9", "10", "11", "12", "13", "14", "15", "16"};

bool IsUtf8Continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// The longest front of `text`, of whole characters, whose percent-encoded form has at most kGrpcMessageBytesMax bytes.
std::string_view Shortened(std::string_view text) {
  if (text.size() * 3 <= kGrpcMessageBytesMax) return text;
  size_t encoded_bytes = 0;
  size_t end = 0;
  while (end < text.size()) {
    const char c = text[end];
    encoded_bytes += c >= 0x20 && c <= 0x7e && c != '%' ? 1 : 3;
    if (encoded_bytes > kGrpcMessageBytesMax) break;
    ++end;
  }
  if (end == text.size()) return text;
  while (end > 0 && IsUtf8Continuation(text[end])) --end;
  return text.substr(0, end);
}

// A number of any length, of digits only; one that no code has is as good as UINT64_MAX.
std::optional<uint64_t> ParseNumber(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = std::min<uint64_t>(number * 10 + static_cast<uint64_t>(c - '0'), 1'000'000);
  }
  return number;
}

}  // namespace

void EncodeGrpcStatus(const absl::Status& status, transport::HeaderList* out) {
  out->Add("grpc-status", kNumbers[GrpcNumberFromCode(status.code())]);
  if (status.ok()) return;
  const std::string_view message(status.message().data(), status.message().size());
  if (!message.empty()) out->Add("grpc-message", PercentEncode(Shortened(message)));
  if (const std::string details = EncodedDetails(status); !details.empty()) out->Add(kDetails, Base64Encode(details));
}

bool DropStatusDetails(const transport::HeaderList& block, transport::HeaderList* out) {
  if (!block.Find(kDetails).has_value()) return false;
  for (const transport::HeaderView field : block) {
    if (field.name != kDetails) out->Add(field.name, field.value);
  }
  return true;
}

absl::Status DecodeGrpcStatus(const transport::HeaderList& fields) {
  std::optional<std::string_view> code;
  std::optional<std::string_view> message;
  std::optional<std::string_view> details;
  for (const transport::HeaderView field : fields) {
    if (!code && field.name == "grpc-status") code = field.value;
    if (!message && field.name == "grpc-message") message = field.value;
    if (!details && field.name == kDetails) details = field.value;
  }
  if (code == "0") return absl::OkStatus();
  const std::string text = PercentDecode(message.value_or(""));
  const std::string detail = text.empty() ? "" : ": " + text;
  // Not what the peer decided: what is made of its trailers here.
  if (!code) return WithWhy(absl::UnknownError("peer ended the call without grpc-status" + detail), Why());
  const std::optional<uint64_t> number = ParseNumber(*code);
  if (!number || *number >= std::size(kNumbers)) {
    const absl::string_view shown(code->data(), std::min<size_t>(code->size(), 100));
    const std::string unknown =
        absl::StrCat("grpc-status: expected a number from 0 to 16, got \"", absl::CHexEscape(shown), "\"", detail);
    return WithWhy(absl::UnknownError(unknown), Why());
  }
  absl::Status status(CodeFromGrpcNumber(*number), text);
  if (details) SetEncodedDetails(&status, Base64Decode(*details).value_or(""));
  return status;
}

}  // namespace weir::wire
