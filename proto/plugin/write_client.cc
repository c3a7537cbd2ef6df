#include "weir/proto/plugin/write_client.h"

namespace weir::plugin {
namespace {

// The call object that the runtime has for each kind (rpc/client/stub.h).
std::string CallType(const Method& method) {
  switch (method.kind) {
    case CallKind::kUnary:
      return "::weir::UnaryCall<" + method.reply + ">";
    case CallKind::kClientStreaming:
      return "::weir::ClientStreamCall<" + method.request + ", " + method.reply + ">";
    case CallKind::kServerStreaming:
      return "::weir::ServerStreamCall<" + method.reply + ">";
    case CallKind::kBidiStreaming:
      return "::weir::BidiCall<" + method.request + ", " + method.reply + ">";
  }
  return "";
}

// `indent`: of the parameters.
std::map<std::string, std::string> Variables(const Service& service, const Method& method, const std::string& indent) {
  const Signature signature = ClientSignature(method);
  return {
      {"service", service.service_class},
      {"class", service.client_class},
      {"constant", method.constant},
      {"deprecated", method.deprecated ? "[[deprecated]] " : ""},
      {"name", method.name},
      {"returns", signature.returns},
      {"parameters", TypesAndNames(signature, indent)},
      {"arguments", Names(signature)},
  };
}

}  // namespace

Signature ClientSignature(const Method& method) {
  const Parameter request{"const " + method.request + "&", "request"};
  const Parameter options{"const ::weir::CallOptions&", "options"};
  if (ClientStreams(method.kind)) return {CallType(method), {options}};
  return {CallType(method), {request, options}};
}

void WriteClientDeclaration(const Service& service, google::protobuf::io::Printer& out) {
  out.Print({{"class", service.client_class},
             {"full_name", service.full_name},
             {"deprecated", service.deprecated ? "[[deprecated]] " : ""}},
            R"(
// Calls $full_name$. Its functions use the channel, which must be there then. Virtual for mocks only.
class $deprecated$$class$ {
 public:
  explicit $class$(::weir::Channel& channel) : channel_(&channel) {}
  $class$(const $class$&) = default;
  $class$& operator=(const $class$&) = default;
  virtual ~$class$() = default;
)");
  for (const Method& method : service.methods) {
    out.Print("\n");
    WriteComment(method.comment, "  ", out);
    out.Print(Variables(service, method, "      "), R"(  $deprecated$virtual $returns$ $name$(
      $parameters$ = ::weir::CallOptions());
)");
  }
  // Only a client without methods does not use its channel.
  out.Print({{"unused", service.methods.empty() ? "[[maybe_unused]] " : ""}}, R"(
 private:
  $unused$::weir::Channel* channel_;
};
)");
}

void WriteClientDefinition(const Service& service, google::protobuf::io::Printer& out) {
  for (const Method& method : service.methods) {
    out.Print(Variables(service, method, "    "), R"(
$returns$ $class$::$name$(
    $parameters$) {
  return $returns$(
      *channel_, $service$::$constant$, $arguments$);
}
)");
  }
}

}  // namespace weir::plugin
