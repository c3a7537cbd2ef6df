// What is printed, as values: everything that the printers know of a .proto file.
//
//   FileDescriptor --ReadFile--> File --WriteHeader, WriteSource, WriteMocks--> text
//
// All names here are C++ names, legal and unique where they are declared. The printers decide nothing about names and
// never see a descriptor.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "weir/proto/plugin/options.h"
#include "weir/rpc/core/method.h"

namespace weir::plugin {

struct Method {
  std::string name;      // of the functions in both classes
  std::string constant;  // of the MethodSpec: "kSayHello"
  std::string path;      // "/helloworld.Greeter/SayHello"
  CallKind kind = CallKind::kUnary;
  std::string request;  // "::helloworld::HelloRequest"
  std::string reply;
  std::vector<std::string> comment;
  bool deprecated = false;

  bool operator==(const Method&) const = default;
};

struct Service {
  std::string full_name;  // "helloworld.Greeter"
  std::string service_class;
  std::string client_class;
  std::string mock_service_class;
  std::string mock_client_class;
  std::vector<std::string> comment;
  bool deprecated = false;
  std::vector<Method> methods;

  bool operator==(const Service&) const = default;
};

struct File {
  std::string proto;              // "foo/greeter.proto"
  std::string messages_header;    // "foo/greeter.pb.h"
  std::string header;             // "foo/greeter.weir.pb.h"
  std::string source;             // "foo/greeter.weir.pb.cc"
  std::string mock_header;        // "foo/greeter.weir.mock.h"
  std::string cpp_namespace;      // "foo::v1"; empty for the global one
  bool names_deprecated = false;  // a service, method or message: our own code must not warn about it
  std::vector<Service> services;

  bool operator==(const File&) const = default;
};

// Comments are there only if protoc read `file` from its source.
File ReadFile(const google::protobuf::FileDescriptor& file, const Options& options);

}  // namespace weir::plugin
