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

  JsonValue();  // null
  explicit JsonValue(bool value);
  explicit JsonValue(double value);
  explicit JsonValue(std::string value);
  explicit JsonValue(Array value);
  explicit JsonValue(Object value);
  // Out of line, as everything that looks into the variant: channel_options.h is compiled with every client.
  JsonValue(const JsonValue&);
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(const JsonValue&);
  JsonValue& operator=(JsonValue&&) noexcept;
  ~JsonValue();

  bool is_null() const { return value_.index() == 0; }
  // Null if it is something else.
  const bool* boolean() const;
  const double* number() const;
  const std::string* string() const;
  const Array* array() const;
  const Object* object() const;

  // The field of an object; null if there is none, it is JSON's null (which means the same), or this is no object.
  const JsonValue* Find(std::string_view name) const;

  // For texts: a number, a quoted string, "true", "null", and only the kind of the others: "a list", "an object".
  std::string Describe() const;

  bool operator==(const JsonValue&) const;

 private:
  std::variant<std::monostate, bool, double, std::string, Array, Object> value_;
};

}  // namespace weir
