#include "weir/proto/plugin/options.h"

#include <google/protobuf/compiler/code_generator.h>

#include <utility>
#include <vector>

namespace weir::plugin {

std::string ParseOptions(const std::string& parameter, Options* options) {
  std::vector<std::pair<std::string, std::string>> pairs;
  google::protobuf::compiler::ParseGeneratorParameter(parameter, &pairs);
  for (const auto& [name, value] : pairs) {
    if (name != "message_header_extension") {
      return "unknown option '" + name + "' (known: message_header_extension)";
    }
    if (value.empty()) return "message_header_extension: expected an extension such as .pb.h, got nothing";
    options->message_header_extension = value;
  }
  return "";
}

}  // namespace weir::plugin
