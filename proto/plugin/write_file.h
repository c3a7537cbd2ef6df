// Prints the two files of a .proto file. The same model gives the same bytes.
#pragma once

#include <string>

#include "weir/proto/plugin/model.h"

namespace weir::plugin {

std::string WriteHeader(const File& file);
std::string WriteSource(const File& file);

}  // namespace weir::plugin
