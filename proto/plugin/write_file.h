// Prints the files of a .proto file. The same model gives the same bytes.
#pragma once

#include <string>

#include "weir/proto/plugin/model.h"

namespace weir::plugin {

std::string WriteHeader(const File& file);
std::string WriteSource(const File& file);
std::string WriteMocks(const File& file);  // a header

}  // namespace weir::plugin
