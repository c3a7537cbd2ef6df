// Descriptors for tests: from the text of a .proto file, as protoc would have them.
#pragma once

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <map>
#include <string>
#include <utility>

namespace weir::plugin {

// Files that import each other by name: {{"a.proto", "syntax = ..."}, ...}. Fails the test on any error.
class ProtoFiles final : private google::protobuf::compiler::SourceTree,
                         private google::protobuf::compiler::MultiFileErrorCollector {
 public:
  ProtoFiles(std::initializer_list<std::pair<const std::string, std::string>> texts) : texts_(texts) {}

  const google::protobuf::FileDescriptor& Parse(const std::string& name) {
    const google::protobuf::FileDescriptor* file = importer_.Import(name);
    if (file == nullptr) ADD_FAILURE() << name << ": cannot be parsed";
    return *file;
  }

 private:
  google::protobuf::io::ZeroCopyInputStream* Open(const std::string& name) override {
    const auto text = texts_.find(name);
    if (text == texts_.end()) return nullptr;
    return new google::protobuf::io::ArrayInputStream(text->second.data(), static_cast<int>(text->second.size()));
  }

  void AddError(const std::string& name, int line, int column, const std::string& message) override {
    ADD_FAILURE() << name << ":" << line + 1 << ":" << column + 1 << ": " << message;
  }

  const std::map<std::string, std::string> texts_;
  google::protobuf::compiler::Importer importer_{this, this};
};

}  // namespace weir::plugin
