#include "weir/proto/plugin/model.h"

#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "weir/proto/plugin/comment.h"
#include "weir/proto/plugin/names.h"

namespace weir::plugin {
namespace {

namespace pb = google::protobuf;
namespace cpp = google::protobuf::compiler::cpp;

// --- what is already declared in the namespace of a file ---

// A file and all that it imports, also indirectly: protobuf's header of the file declares all of that.
void CollectFiles(const pb::FileDescriptor& file, std::set<const pb::FileDescriptor*>* files) {
  if (!files->insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) CollectFiles(*file.dependency(i), files);
}

void CollectEnum(const pb::EnumDescriptor& type, std::set<std::string>* names) {
  names->insert(cpp::ClassName(&type));
  const std::string prefix = type.containing_type() == nullptr ? "" : cpp::ClassName(&type) + "_";
  for (int i = 0; i < type.value_count(); ++i) names->insert(prefix + cpp::EnumValueName(type.value(i)));
}

void CollectMessage(const pb::Descriptor& type, std::set<std::string>* names) {
  names->insert(cpp::ClassName(&type));
  for (int i = 0; i < type.enum_type_count(); ++i) CollectEnum(*type.enum_type(i), names);
  for (int i = 0; i < type.nested_type_count(); ++i) CollectMessage(*type.nested_type(i), names);
}

void CollectDeclarations(const pb::FileDescriptor& file, std::set<std::string>* names) {
  for (int i = 0; i < file.message_type_count(); ++i) CollectMessage(*file.message_type(i), names);
  for (int i = 0; i < file.enum_type_count(); ++i) CollectEnum(*file.enum_type(i), names);
  for (int i = 0; i < file.extension_count(); ++i) names->insert(file.extension(i)->name());
  // grpc++ gives its class the name of the service; both may be in one program.
  for (int i = 0; i < file.service_count(); ++i) names->insert(file.service(i)->name());
}

// The namespace that `package` has directly inside of `outer`: ("a", "a.b.c") -> "b"; empty if there is none.
std::string NestedNamespace(std::string_view outer, std::string_view package) {
  if (!outer.empty()) {
    if (package.size() <= outer.size() || package[outer.size()] != '.' || package.substr(0, outer.size()) != outer) {
      return "";
    }
    package.remove_prefix(outer.size() + 1);
  }
  return std::string(package.substr(0, package.find('.')));
}

NameSet DeclaredNames(const pb::FileDescriptor& file) {
  std::set<const pb::FileDescriptor*> files;
  CollectFiles(file, &files);
  std::set<std::string> names;
  for (const pb::FileDescriptor* other : files) {
    if (other->package() == file.package()) CollectDeclarations(*other, &names);
    names.insert(NestedNamespace(file.package(), other->package()));
  }
  return NameSet(std::move(names));
}

// --- services and methods ---

template <class Descriptor>
std::vector<std::string> ReadComment(const Descriptor& descriptor) {
  pb::SourceLocation location;
  if (!descriptor.GetSourceLocation(&location)) return {};
  const bool leads = !location.leading_comments.empty();
  return CommentLines(leads ? location.leading_comments : location.trailing_comments);
}

CallKind KindOf(const pb::MethodDescriptor& method) {
  if (method.client_streaming())
    return method.server_streaming() ? CallKind::kBidiStreaming : CallKind::kClientStreaming;
  return method.server_streaming() ? CallKind::kServerStreaming : CallKind::kUnary;
}

Method ReadMethod(const pb::MethodDescriptor& method) {
  return Method{
      .path = "/" + method.service()->full_name() + "/" + method.name(),
      .kind = KindOf(method),
      .request = cpp::QualifiedClassName(method.input_type()),
      .reply = cpp::QualifiedClassName(method.output_type()),
      .comment = ReadComment(method),
      .deprecated = method.options().deprecated(),
  };
}

// A method keeps its name in both classes, or has the same other name in both. Methods that can keep theirs come first,
// so that `rpc methods` does not take the name of `rpc methods_`; constants come last, for they are seen least.
void NameMethods(const pb::ServiceDescriptor& descriptor, Service* service) {
  NameSet names({
      service->service_class, service->mock_service_class,  // constructors
      service->client_class, service->mock_client_class,    //
      "kServiceName", "methods", "any_method",              // in the service
      "channel_",                                           // in the client
  });
  for (int i = 0; i < descriptor.method_count(); ++i) {
    const std::string& name = descriptor.method(i)->name();
    if (names.TryTake(name)) service->methods[i].name = name;
  }
  for (int i = 0; i < descriptor.method_count(); ++i) {
    Method& method = service->methods[i];
    if (method.name.empty()) method.name = names.Take(descriptor.method(i)->name());
  }
  for (int i = 0; i < descriptor.method_count(); ++i) {
    service->methods[i].constant = names.Take(ConstantName(descriptor.method(i)->name()));
  }
}

// The classes of mocks come last, so that a service keeps its names whether there are mocks or not.
void NameClasses(const pb::FileDescriptor& file, std::vector<Service>* services) {
  NameSet declared = DeclaredNames(file);
  for (int i = 0; i < file.service_count(); ++i) {
    (*services)[i].service_class = declared.Take(file.service(i)->name() + "Service");
    (*services)[i].client_class = declared.Take(file.service(i)->name() + "Client");
  }
  for (Service& service : *services) {
    service.mock_service_class = declared.Take("Mock" + service.service_class);
    service.mock_client_class = declared.Take("Mock" + service.client_class);
  }
}

// All but names of classes.
void ReadService(const pb::ServiceDescriptor& descriptor, Service* service) {
  service->full_name = descriptor.full_name();
  service->comment = ReadComment(descriptor);
  service->deprecated = descriptor.options().deprecated();
  for (int i = 0; i < descriptor.method_count(); ++i) service->methods.push_back(ReadMethod(*descriptor.method(i)));
  NameMethods(descriptor, service);
}

bool NamesDeprecated(const pb::ServiceDescriptor& service) {
  if (service.options().deprecated()) return true;
  for (int i = 0; i < service.method_count(); ++i) {
    const pb::MethodDescriptor& method = *service.method(i);
    if (method.options().deprecated() || method.input_type()->options().deprecated() ||
        method.output_type()->options().deprecated()) {
      return true;
    }
  }
  return false;
}

}  // namespace

File ReadFile(const pb::FileDescriptor& file, const Options& options) {
  const std::string base = cpp::StripProto(file.name());
  File result;
  result.proto = file.name();
  result.messages_header = base + options.message_header_extension;
  result.header = base + ".weir.pb.h";
  result.source = base + ".weir.pb.cc";
  result.mock_header = base + ".weir.mock.h";
  result.cpp_namespace = NamespaceOf(file.package());

  result.services.resize(file.service_count());
  NameClasses(file, &result.services);
  for (int i = 0; i < file.service_count(); ++i) {
    result.names_deprecated = result.names_deprecated || NamesDeprecated(*file.service(i));
    ReadService(*file.service(i), &result.services[i]);
  }
  return result;
}

}  // namespace weir::plugin
