// protoc-gen-weir: reads descriptors from protoc, writes x.weir.pb.h and x.weir.pb.cc for every x.proto, and
// x.weir.mock.h if asked.
//
//   protoc --plugin=protoc-gen-weir=PATH --weir_out=DIR --cpp_out=DIR x.proto
#include <google/protobuf/compiler/code_generator.h>
#include <google/protobuf/compiler/plugin.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <memory>
#include <string>

#include "weir/proto/plugin/model.h"
#include "weir/proto/plugin/options.h"
#include "weir/proto/plugin/write_file.h"

namespace weir::plugin {
namespace {

namespace compiler = google::protobuf::compiler;

void WriteFile(const std::string& name, const std::string& text, compiler::GeneratorContext& context) {
  const std::unique_ptr<google::protobuf::io::ZeroCopyOutputStream> file(context.Open(name));
  google::protobuf::io::CodedOutputStream(file.get()).WriteString(text);
}

class Generator final : public compiler::CodeGenerator {
 public:
  // Without this protoc refuses files with optional fields.
  uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }

  bool Generate(const google::protobuf::FileDescriptor* descriptor, const std::string& parameter,
                compiler::GeneratorContext* context, std::string* error) const override {
    Options options;
    *error = ParseOptions(parameter, &options);
    if (!error->empty()) return false;
    const File file = ReadFile(*descriptor, options);
    WriteFile(file.header, WriteHeader(file), *context);
    WriteFile(file.source, WriteSource(file), *context);
    if (options.mocks) WriteFile(file.mock_header, WriteMocks(file), *context);
    return true;
  }
};

}  // namespace
}  // namespace weir::plugin

int main(int argc, char** argv) {
  const weir::plugin::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
