// UserAgent: the value of user-agent that a client of this library sends.
#pragma once

#include <string>
#include <string_view>

namespace weir::wire {

// "grpc-c++-weir/0.1.0" (gRPC over HTTP2, User Agents: "grpc-" language ?("-" variant) "/" version).
inline constexpr std::string_view kUserAgent = "grpc-c++-weir/0.1.0";

// The same behind the application's own: "shop/2.1 grpc-c++-weir/0.1.0".
inline std::string UserAgent(std::string_view application) {
  std::string text(application);
  if (!text.empty()) text += ' ';
  text += kUserAgent;
  return text;
}

}  // namespace weir::wire
