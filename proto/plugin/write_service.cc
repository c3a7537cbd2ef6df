#include "weir/proto/plugin/write_service.h"

namespace weir::plugin {
namespace {

std::string KindName(CallKind kind) {
  switch (kind) {
    case CallKind::kUnary:
      return "kUnary";
    case CallKind::kClientStreaming:
      return "kClientStreaming";
    case CallKind::kServerStreaming:
      return "kServerStreaming";
    case CallKind::kBidiStreaming:
      return "kBidiStreaming";
  }
  return "";
}

void WriteUnimplemented(const Service& service, const Method& method, google::protobuf::io::Printer& out) {
  const Signature signature = ServiceSignature(method);
  out.Print({{"class", service.service_class},
             {"name", method.name},
             {"path", method.path},
             {"returns", signature.returns},
             {"parameters", Types(signature, "    ")}},
            R"(
$returns$ $class$::$name$(
    $parameters$) {
  co_return ::absl::UnimplementedError("$path$: not implemented by this server");
}
)");
}

// Constants only: the table needs no initialisation at run time.
void WriteTable(const Service& service, google::protobuf::io::Printer& out) {
  const std::map<std::string, std::string> vars = {{"class", service.service_class}};
  out.Print(vars, R"(
::std::span<const ::weir::ServerMethod> $class$::methods() const {
)");
  if (service.methods.empty()) {
    out.Print("  return {};\n}\n");
    return;
  }
  out.Print("  static constexpr ::weir::ServerMethod table[] = {\n");
  for (const Method& method : service.methods) {
    out.Print({{"class", service.service_class}, {"constant", method.constant}, {"name", method.name}},
              "      {$class$::$constant$, &::weir::Serve<&$class$::$name$>},\n");
  }
  out.Print("  };\n  return table;\n}\n");
}

}  // namespace

Signature ServiceSignature(const Method& method) {
  const Parameter context{"::weir::ServerContext&", "context"};
  const Parameter request{"const " + method.request + "&", "request"};
  const Parameter reader{"::weir::Reader<" + method.request + ">&", "reader"};
  const Parameter writer{"::weir::Writer<" + method.reply + ">&", "writer"};
  const std::string reply = "::weir::Task<::absl::StatusOr<" + method.reply + ">>";
  const std::string status = "::weir::Task<::absl::Status>";
  switch (method.kind) {
    case CallKind::kUnary:
      return {reply, {context, request}};
    case CallKind::kClientStreaming:
      return {reply, {context, reader}};
    case CallKind::kServerStreaming:
      return {status, {context, request, writer}};
    case CallKind::kBidiStreaming:
      return {status, {context, reader, writer}};
  }
  return {};
}

void WriteServiceDeclaration(const Service& service, google::protobuf::io::Printer& out) {
  out.Print("\n");
  WriteComment(service.comment, "", out);
  out.Print({{"class", service.service_class}, {"deprecated", service.deprecated ? "[[deprecated]] " : ""}},
            R"(class $deprecated$$class$ : public ::weir::Service {
 public:
)");
  out.Print({{"full_name", service.full_name}},
            R"(  static constexpr ::std::string_view kServiceName = "$full_name$";
)");
  for (const Method& method : service.methods) {
    out.Print({{"constant", method.constant}, {"path", method.path}, {"kind", KindName(method.kind)}},
              R"(  static constexpr ::weir::MethodSpec $constant${"$path$", ::weir::CallKind::$kind$};
)");
  }
  for (const Method& method : service.methods) {
    out.Print("\n");
    WriteComment(method.comment, "  ", out);
    const Signature signature = ServiceSignature(method);
    out.Print({{"deprecated", method.deprecated ? "[[deprecated]] " : ""},
               {"name", method.name},
               {"returns", signature.returns},
               {"parameters", TypesAndNames(signature, "      ")}},
              R"(  $deprecated$virtual $returns$ $name$(
      $parameters$);
)");
  }
  out.Print(R"(
  ::std::span<const ::weir::ServerMethod> methods() const override;
};
)");
}

void WriteServiceDefinition(const Service& service, google::protobuf::io::Printer& out) {
  for (const Method& method : service.methods) WriteUnimplemented(service, method, out);
  WriteTable(service, out);
}

}  // namespace weir::plugin
