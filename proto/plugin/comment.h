// Comments of a .proto file, made safe to print behind "//".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::plugin {

// The text between the comment markers, as protobuf reports it -> lines to print, each behind "//".
// No line ends in a backslash, which would make the next line of code part of the comment. Nothing needs to be done
// about "*/": it has no meaning behind "//".
std::vector<std::string> CommentLines(std::string_view text);

}  // namespace weir::plugin
