#include "weir/proto/plugin/writing.h"

namespace weir::plugin {
namespace {

template <class Part>
std::string Join(const std::vector<Parameter>& parameters, const std::string& separator, Part part) {
  std::string result;
  for (const Parameter& parameter : parameters) result += (result.empty() ? "" : separator) + part(parameter);
  return result;
}

}  // namespace

std::string TypesAndNames(const Signature& signature, const std::string& indent) {
  return Join(signature.parameters, ",\n" + indent, [](const Parameter& p) { return p.type + " " + p.name; });
}

std::string Types(const Signature& signature, const std::string& indent) {
  return Join(signature.parameters, ",\n" + indent, [](const Parameter& p) { return p.type; });
}

std::string Names(const Signature& signature) {
  return Join(signature.parameters, ", ", [](const Parameter& p) { return p.name; });
}

void WriteComment(const std::vector<std::string>& lines, const std::string& indent,
                  google::protobuf::io::Printer& out) {
  for (const std::string& line : lines) out.PrintRaw(indent + "//" + line + "\n");
}

}  // namespace weir::plugin
