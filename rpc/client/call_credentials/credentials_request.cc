#include "absl/strings/str_cat.h"
#include "weir/rpc/client/call_credentials/call_credentials.h"

namespace weir {

CredentialsRequest::CredentialsRequest(std::string_view authority, std::string_view path, ConnectionSecurity security)
    : authority_(authority), security_(security) {
  constexpr std::string_view kDefaultPort = ":443";
  const size_t slash = path.rfind('/');
  const std::string_view service = slash == path.npos ? std::string_view() : path.substr(0, slash);
  method_name_ = slash == path.npos ? path : path.substr(slash + 1);
  std::string_view host = authority;
  if (host.ends_with(kDefaultPort)) host.remove_suffix(kDefaultPort.size());
  service_url_ = absl::StrCat("https://", std::string(host), std::string(service));
}

}  // namespace weir
