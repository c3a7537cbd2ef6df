#include "weir/proto/plugin/names.h"

#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <iterator>

namespace weir::plugin {
namespace {

// protobuf 3.21 escapes the keywords of C++17, since its own code has to compile as C++11. A package or message with
// one of these names cannot be compiled as C++20 in any case; a method can.
constexpr std::string_view kNewKeywords[] = {"char8_t", "co_await",  "co_return", "co_yield",
                                             "concept", "consteval", "constinit", "requires"};

// Macros of the headers that generated code includes, and of compilers that are not told to be strict.
constexpr std::string_view kMacros[] = {"BUFSIZ", "EOF", "EOVERFLOW", "assert", "errno", "linux", "unix"};

template <size_t size>
bool Contains(const std::string_view (&words)[size], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

// "::namespace::Message" in protobuf's own code. Which words it escapes, in messages and (not before 3.22) in packages,
// is not public; the names of messages are.
std::string ProtobufName(const std::string& package, const std::string& message) {
  google::protobuf::FileDescriptorProto file;
  file.set_name("probe.proto");
  file.set_package(package);
  file.add_message_type()->set_name(message);
  google::protobuf::DescriptorPool pool;
  return google::protobuf::compiler::cpp::QualifiedClassName(pool.BuildFile(file)->message_type(0));
}

}  // namespace

bool IsUsableIdentifier(const std::string& name) {
  if (Contains(kNewKeywords, name) || Contains(kMacros, name)) return false;
  return ProtobufName("", name) == "::" + name;
}

std::string NamespaceOf(const std::string& package) {
  if (package.empty()) return "";
  const std::string message = ProtobufName(package, "M");
  return message.substr(2, message.rfind("::") - 2);
}

std::string ConstantName(const std::string& name) {
  std::string result = "k" + name;
  if (result.size() > 1 && result[1] >= 'a' && result[1] <= 'z') result[1] = static_cast<char>(result[1] - 'a' + 'A');
  return result;
}

bool NameSet::TryTake(const std::string& name) { return IsUsableIdentifier(name) && names_.insert(name).second; }

std::string NameSet::Take(std::string wanted) {
  while (!TryTake(wanted)) wanted += '_';
  return wanted;
}

}  // namespace weir::plugin
