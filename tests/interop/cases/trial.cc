#include "tests/interop/cases/trial.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"

namespace weir::interop {

bool Trial::ExpectOk(const std::string& what, const absl::Status& got) {
  return got.ok() || Fail(absl::StrCat(what, ": expected OK, got ", got.ToString()));
}

bool Trial::ExpectCode(const std::string& what, absl::StatusCode expected, const absl::Status& got) {
  if (got.code() == expected) return true;
  return Fail(absl::StrCat(what, ": expected ", absl::StatusCodeToString(expected), ", got ", got.ToString()));
}

bool Trial::ExpectStatus(const std::string& what, const absl::Status& expected, const absl::Status& got) {
  if (got.code() == expected.code() && got.message() == expected.message()) return true;
  return Fail(
      absl::StrCat(what, ": expected ", absl::CEscape(expected.ToString()), ", got ", absl::CEscape(got.ToString())));
}

bool Trial::ExpectValues(const std::string& what, const std::string& key, const std::vector<std::string>& expected,
                         const Pairs& got) {
  std::vector<std::string> values;
  for (const auto& [name, value] : got) {
    if (name == key) values.push_back(value);
  }
  if (values == expected) return true;
  const auto escape = [](std::string* out, const std::string& value) { absl::StrAppend(out, "\"", Show(value), "\""); };
  return Fail(absl::StrCat(what, " ", key, ": expected [", absl::StrJoin(expected, ", ", escape), "], got [",
                           absl::StrJoin(values, ", ", escape), "]"));
}

std::string Show(const std::string& bytes) {
  constexpr size_t kShownBytes = 80;
  if (bytes.size() <= kShownBytes) return absl::CHexEscape(bytes);
  return absl::StrCat(absl::CHexEscape(bytes.substr(0, kShownBytes)), "... (", bytes.size(), " bytes)");
}

grpc::testing::Payload Zeros(int bytes) {
  grpc::testing::Payload payload;
  payload.set_body(std::string(static_cast<size_t>(bytes), '\0'));
  return payload;
}

}  // namespace weir::interop
