#include "weir/rpc/wire/timeout.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace weir::wire {
namespace {

constexpr size_t kDigitsMax = 8;
constexpr int64_t kCountMax = 99'999'999;
constexpr int64_t kSignificantMax = 1'000;  // three digits, or a one and zeros

struct Unit {
  char letter;
  int64_t nanos;
};
constexpr Unit kUnits[] = {
    // coarsest first
    {'H', 3'600'000'000'000}, {'M', 60'000'000'000}, {'S', 1'000'000'000}, {'m', 1'000'000}, {'u', 1'000}, {'n', 1},
};

int64_t CeilDiv(int64_t value, int64_t divisor) { return value / divisor + (value % divisor != 0 ? 1 : 0); }

// Rounds up to three significant digits.
int64_t RoundUp(int64_t value) {
  int64_t step = 1;
  while (CeilDiv(value, step) > kSignificantMax) step *= 10;
  return CeilDiv(value, step) * step;
}

std::string Format(int64_t count, char unit) {
  std::string text = std::to_string(count);
  text += unit;
  return text;
}

}  // namespace

std::string EncodeTimeout(absl::Duration timeout) {
  if (timeout <= absl::ZeroDuration()) return "1n";
  if (timeout >= absl::Hours(2'000'000)) {  // 228 years; the nanoseconds of 292 overflow
    const int64_t hours = absl::ToInt64Hours(absl::Ceil(timeout, absl::Hours(1)));  // saturates
    return Format(hours > kCountMax ? kCountMax : hours, 'H');
  }
  const int64_t nanos = RoundUp(absl::ToInt64Nanoseconds(absl::Ceil(timeout, absl::Nanoseconds(1))));
  const Unit* unit = kUnits;
  while (nanos % unit->nanos != 0) ++unit;                 // ends: every count is a multiple of one nanosecond
  while (CeilDiv(nanos, unit->nanos) > kCountMax) --unit;  // over three years, in seconds
  return Format(CeilDiv(nanos, unit->nanos), unit->letter);
}

absl::StatusOr<absl::Duration> ParseTimeout(std::string_view value) {
  const size_t digits = value.empty() ? 0 : value.size() - 1;
  int64_t count = 0;
  bool valid = digits >= 1 && digits <= kDigitsMax;
  for (size_t i = 0; valid && i < digits; ++i) {
    valid = value[i] >= '0' && value[i] <= '9';
    count = count * 10 + (value[i] - '0');
  }
  if (valid) {
    switch (value.back()) {
      case 'H':
        return absl::Hours(count);
      case 'M':
        return absl::Minutes(count);
      case 'S':
        return absl::Seconds(count);
      case 'm':
        return absl::Milliseconds(count);
      case 'u':
        return absl::Microseconds(count);
      case 'n':
        return absl::Nanoseconds(count);
      default:
        break;
    }
  }
  return absl::InternalError(absl::StrCat("grpc-timeout: expected 1-8 digits and a unit HMSmun, got \"",
                                          absl::CHexEscape(absl::string_view(value.data(), value.size())), "\""));
}

}  // namespace weir::wire
