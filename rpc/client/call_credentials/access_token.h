// AccessToken: credentials that are one token: "authorization: Bearer <token>" (RFC 6750, section 2.1).
//
// For a token that does not change. One that is refreshed wants CallCredentials of its own: examples/token.
#pragma once

#include <memory>
#include <string_view>

#include "weir/rpc/client/call_credentials/call_credentials.h"

namespace weir {

std::shared_ptr<CallCredentials> AccessToken(std::string_view token);

}  // namespace weir
