#include "weir/proto/plugin/write_mocks.h"

#include "weir/proto/plugin/write_client.h"
#include "weir/proto/plugin/write_service.h"
#include "weir/proto/plugin/writing.h"

namespace weir::plugin {
namespace {

struct MockClass {
  std::string name;
  std::string base;
  std::string comment;
  std::string initializer;  // of the base
  Signature (*signature)(const Method&);
};

void WriteMockClass(const Service& service, const MockClass& mock, google::protobuf::io::Printer& out) {
  out.Print({{"class", mock.name}, {"base", mock.base}, {"comment", mock.comment}, {"initializer", mock.initializer}},
            R"(
// $comment$
class $class$ : public $base$ {
 public:
  $class$()$initializer$ {
)");
  for (const Method& method : service.methods) {
    out.Print({{"name", method.name}, {"path", method.path}}, R"(    ON_CALL(*this, $name$)
        .WillByDefault(::weir::testing::Fails(
            ::absl::UnimplementedError("$path$: the mock was not told what to answer")));
)");
  }
  out.Print("  }\n");
  for (const Method& method : service.methods) {
    const Signature signature = mock.signature(method);
    out.Print({{"name", method.name}, {"returns", signature.returns}, {"parameters", Types(signature, "       ")}},
              R"(
  MOCK_METHOD(
      ($returns$), $name$,
      ($parameters$),
      (override));
)");
  }
  out.Print("};\n");
}

}  // namespace

void WriteMockClasses(const Service& service, google::protobuf::io::Printer& out) {
  WriteMockClass(service,
                 {.name = service.mock_service_class,
                  .base = service.service_class,
                  .comment = "Serves " + service.full_name + " as a test expects it: see weir/testing/script.h.",
                  .initializer = "",
                  .signature = ServiceSignature},
                 out);
  WriteMockClass(
      service,
      {.name = service.mock_client_class,
       .base = service.client_class,
       .comment = "Takes the place of a client of " + service.full_name + " in code that takes one by reference.",
       .initializer = " : " + service.client_class + "(::weir::testing::internal::ScriptChannel())",
       .signature = ClientSignature},
      out);
}

}  // namespace weir::plugin
