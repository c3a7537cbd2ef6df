// SystemErrorText: errno as text, the same in every message: "Connection refused".
#pragma once

#include <string>
#include <system_error>

namespace weir::transport {

inline std::string SystemErrorText(int error) { return std::system_category().message(error); }

}  // namespace weir::transport
