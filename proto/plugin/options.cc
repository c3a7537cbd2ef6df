#include "weir/proto/plugin/options.h"

#include <google/protobuf/compiler/code_generator.h>

#include <utility>
#include <vector>

namespace weir::plugin {

std::string ParseOptions(const std::string& parameter, Options* options) {
  std::vector<std::pair<std::string, std::string>> pairs;
  google::protobuf::compiler::ParseGeneratorParameter(parameter, &pairs);
  for (const auto& [name, value] : pairs) {
    if (name == "generate_mock_code") {
      if (value != "true" && value != "false") {
        return "generate_mock_code: expected true or false, got \"" + value + "\"";
      }
      options->mocks = value == "true";
      continue;
    }
    if (name != "message_header_extension") {
      return "unknown option '" + name + "' (known: generate_mock_code, message_header_extension)";
    }
    if (value.empty()) return "message_header_extension: expected an extension such as .pb.h, got nothing";
    options->message_header_extension = value;
  }
  return "";
}

}  // namespace weir::plugin
