// Options of the plugin: protoc --weir_out=name=value,name=value:DIR, or --weir_opt=name=value.
#pragma once

#include <string>

namespace weir::plugin {

struct Options {
  // message_header_extension: of the header with the messages, for builds that do not call it x.pb.h. The word is
  // grpc_cpp_plugin's.
  std::string message_header_extension = ".pb.h";

  // generate_mock_code=true: write x.weir.mock.h, too. This word is grpc_cpp_plugin's as well.
  bool mocks = false;
};

// Returns what is wrong with `parameter`; empty if nothing is.
std::string ParseOptions(const std::string& parameter, Options* options);

}  // namespace weir::plugin
