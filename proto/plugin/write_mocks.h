// Prints the classes that tests use in place of a service and of a client.
#pragma once

#include <google/protobuf/io/printer.h>

#include "weir/proto/plugin/model.h"

namespace weir::plugin {

// Both classes, all of them.
void WriteMockClasses(const Service& service, google::protobuf::io::Printer& out);

}  // namespace weir::plugin
