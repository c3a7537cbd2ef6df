// Logging: one line for each call, on either side.
//
//   /hello.Greeter/SayHello 127.0.0.1:40712 OK 310us, 1 request of 12 bytes, 1 response of 14 bytes
#pragma once

#include <functional>
#include <string>

#include "weir/rpc/core/interceptor.h"

namespace interceptors {

class Logging final : public weir::Interceptor {
 public:
  // `sink` gets the lines, on the threads of the calls.
  explicit Logging(std::function<void(const std::string& line)> sink) : sink_(std::move(sink)) {}

  weir::Task<absl::Status> Intercept(const weir::MethodSpec& method, weir::InterceptedCall& call,
                                     const weir::Next& next) override;

 private:
  const std::function<void(const std::string&)> sink_;
};

}  // namespace interceptors
