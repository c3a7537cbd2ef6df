// What both classes of a service are printed with.
#pragma once

#include <google/protobuf/io/printer.h>

#include <map>
#include <string>
#include <vector>

namespace weir::plugin {

struct Parameter {
  std::string type;
  std::string name;
};

struct Signature {
  std::string returns;
  std::vector<Parameter> parameters;
};

// "const A& a,\n  B& b", with `indent` in front of each line but the first.
std::string TypesAndNames(const Signature& signature, const std::string& indent);

// The same without names, for a function that uses none of its parameters.
std::string Types(const Signature& signature, const std::string& indent);

// "a, b"
std::string Names(const Signature& signature);

// Each line behind `indent` and "//".
void WriteComment(const std::vector<std::string>& lines, const std::string& indent, google::protobuf::io::Printer& out);

}  // namespace weir::plugin
