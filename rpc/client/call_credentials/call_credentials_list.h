// CallCredentialsList: those of a call, in the order in which they are asked. What options need to hold them; what
// credentials are is in call_credentials.h.
#pragma once

#include <memory>
#include <vector>

namespace weir {

class CallCredentials;

using CallCredentialsList = std::vector<std::shared_ptr<CallCredentials>>;

}  // namespace weir
