// Interceptors: those of a server, a channel or a call, the first one outermost. What options need to hold them; what
// one is, and whoever makes one, is in interceptor.h.
#pragma once

#include <memory>
#include <vector>

namespace weir {

class Interceptor;

using Interceptors = std::vector<std::shared_ptr<Interceptor>>;

}  // namespace weir
