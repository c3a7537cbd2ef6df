// Prints the class that servers derive from.
#pragma once

#include <google/protobuf/io/printer.h>

#include "weir/proto/plugin/model.h"
#include "weir/proto/plugin/writing.h"

namespace weir::plugin {

// Of the handler of `method`: what the runtime expects for each kind (rpc/server/service.h).
Signature ServiceSignature(const Method& method);

// Into the header: constants, one virtual function per method, methods().
void WriteServiceDeclaration(const Service& service, google::protobuf::io::Printer& out);

// Into the source: methods that say UNIMPLEMENTED, and the table of all methods.
void WriteServiceDefinition(const Service& service, google::protobuf::io::Printer& out);

}  // namespace weir::plugin
