// JsonReader: one object of a configuration, field by field. What is wrong is noted with its path, and reading goes on:
// whoever wrote the configuration sees all mistakes at once.
//
//   JsonErrors errors;
//   JsonReader root(value, "", &errors);
//   std::optional<absl::Duration> timeout = root.Duration("timeout");
//   if (!errors.empty()) ...     // "timeout: expected seconds such as "1.5s", got 1.5"
//
// A field that is absent, or JSON's null, is nullopt and no mistake. Numbers may be quoted, as protobuf's JSON allows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "weir/rpc/client/service_config/json_value.h"

namespace weir {

using JsonErrors = std::vector<std::string>;

class JsonReader {
 public:
  // `value` and `errors` must outlive the reader. A value that is no object is a mistake, and then has no fields.
  JsonReader(const JsonValue& value, std::string path, JsonErrors* errors);

  const std::string& path() const { return path_; }
  // Null: absent.
  const JsonValue* Find(std::string_view name) const { return value_.Find(name); }

  std::optional<bool> Bool(std::string_view name) const;
  std::optional<std::string> String(std::string_view name) const;
  std::optional<double> Number(std::string_view name) const;
  // A whole number of at least `min` and at most 2^32 - 1.
  std::optional<uint32_t> Whole(std::string_view name, uint32_t min) const;
  // Not negative.
  std::optional<absl::Duration> Duration(std::string_view name) const;
  std::optional<JsonReader> Object(std::string_view name) const;
  // Elements with their paths, "name[3]"; null: absent.
  const JsonValue::Array* List(std::string_view name) const;
  JsonReader Element(std::string_view name, size_t index, const JsonValue& element) const {
    return JsonReader(element, ElementPath(name, index), errors_);
  }

  // "path.name: expected X, got Y"
  void Wrong(std::string_view name, std::string_view expected) const;
  void WrongElement(std::string_view name, size_t index, std::string_view expected, const JsonValue& got) const;
  // "path: message"
  void Fail(std::string_view message) const;

 private:
  std::string PathOf(std::string_view name) const;
  std::string ElementPath(std::string_view name, size_t index) const;

  const JsonValue& value_;
  std::string path_;
  JsonErrors* errors_;
};

}  // namespace weir
