#include "weir/rpc/client/service_config/parse_json.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace weir {
namespace {

JsonValue ValueOf(const google::protobuf::Value& value);

JsonValue ValueOf(const google::protobuf::Struct& object) {
  JsonValue::Object fields;
  fields.reserve(static_cast<size_t>(object.fields_size()));
  for (const auto& [name, value] : object.fields()) fields.emplace_back(name, ValueOf(value));
  // The map's own order differs from process to process.
  std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return JsonValue(std::move(fields));
}

JsonValue ValueOf(const google::protobuf::Value& value) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kBoolValue:
      return JsonValue(value.bool_value());
    case google::protobuf::Value::kNumberValue:
      return JsonValue(value.number_value());
    case google::protobuf::Value::kStringValue:
      return JsonValue(value.string_value());
    case google::protobuf::Value::kStructValue:
      return ValueOf(value.struct_value());
    case google::protobuf::Value::kListValue: {
      JsonValue::Array list;
      list.reserve(static_cast<size_t>(value.list_value().values_size()));
      for (const google::protobuf::Value& element : value.list_value().values()) list.push_back(ValueOf(element));
      return JsonValue(std::move(list));
    }
    case google::protobuf::Value::kNullValue:
    case google::protobuf::Value::KIND_NOT_SET:
      break;
  }
  return JsonValue();
}

}  // namespace

absl::StatusOr<JsonValue> ParseJson(std::string_view text) {
  google::protobuf::Struct object;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(google::protobuf::StringPiece(text.data(), text.size()), &object);
  if (parsed.ok()) return ValueOf(object);
  // The parser shows the place on lines of its own.
  const std::string said(parsed.message().data(), parsed.message().size());
  return absl::InvalidArgumentError(
      absl::StrCat("expected a JSON object, got: ", absl::StrReplaceAll(said, {{"\n", " "}})));
}

}  // namespace weir
