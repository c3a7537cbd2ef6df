// Names that are legal and unique in C++. Strings in, strings out.
//
// A name that cannot be used gets underscores at its end, as protobuf does it: "delete" becomes "delete_".
#pragma once

#include <set>
#include <string>
#include <utility>

namespace weir::plugin {

// False for keywords up to C++20 and for the macros that are defined wherever our headers are included.
bool IsUsableIdentifier(const std::string& name);

// "foo.v1" -> "foo::v1", exactly the namespace of protobuf's own code.
std::string NamespaceOf(const std::string& package);

// "SayHello" -> "kSayHello", "say_hello" -> "kSay_hello".
std::string ConstantName(const std::string& name);

// The names of one scope.
class NameSet {
 public:
  NameSet() = default;
  explicit NameSet(std::set<std::string> names) : names_(std::move(names)) {}

  // True if `name` was free and usable; it is taken from then on.
  bool TryTake(const std::string& name);

  // `wanted`, with as many underscores as it takes to be free and usable.
  std::string Take(std::string wanted);

 private:
  std::set<std::string> names_;
};

}  // namespace weir::plugin
