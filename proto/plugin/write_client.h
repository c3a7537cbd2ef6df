// Prints the class that makes calls.
#pragma once

#include <google/protobuf/io/printer.h>

#include "weir/proto/plugin/model.h"
#include "weir/proto/plugin/writing.h"

namespace weir::plugin {

// Of the function that starts a call of `method`.
Signature ClientSignature(const Method& method);

// Into the header: one function per method, which starts a call.
void WriteClientDeclaration(const Service& service, google::protobuf::io::Printer& out);

// Into the source.
void WriteClientDefinition(const Service& service, google::protobuf::io::Printer& out);

}  // namespace weir::plugin
