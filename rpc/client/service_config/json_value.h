// JsonValue: a JSON text as a value. Knows no syntax: parse_json.h makes one of a text, json_reader.h reads it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir {

class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  // In the order of their names.
  using Object = std::vector<std::pair<std::string, JsonValue>>;

  JsonValue() = default;  // null
  explicit JsonValue(bool value) : value_(value) {}
  explicit JsonValue(double value) : value_(value) {}
  explicit JsonValue(std::string value) : value_(std::move(value)) {}
  explicit JsonValue(Array value) : value_(std::move(value)) {}
  explicit JsonValue(Object value) : value_(std::move(value)) {}

  bool is_null() const { return value_.index() == 0; }
  // Null if it is something else.
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const double* number() const { return std::get_if<double>(&value_); }
  const std::string* string() const { return std::get_if<std::string>(&value_); }
  const Array* array() const { return std::get_if<Array>(&value_); }
  const Object* object() const { return std::get_if<Object>(&value_); }

  // The field of an object; null if there is none, it is JSON's null (which means the same), or this is no object.
  const JsonValue* Find(std::string_view name) const;

  // For texts: a number, a quoted string, "true", "null", and only the kind of the others: "a list", "an object".
  std::string Describe() const;

  bool operator==(const JsonValue&) const = default;

 private:
  std::variant<std::monostate, bool, double, std::string, Array, Object> value_;
};

}  // namespace weir
