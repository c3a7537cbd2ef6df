// A library under comparison: its client and its server.
#pragma once

#include <memory>
#include <string>

#include "tests/interop/differential/observation.h"

namespace weir::differential {

// A client on one channel. Blocks until the call has ended.
class Caller {
 public:
  virtual ~Caller() = default;
  virtual Observation Make(const Plan& plan) = 0;
};

// A server that listens as long as it lives.
class Answerer {
 public:
  virtual ~Answerer() = default;
  virtual int port() const = 0;
};

std::unique_ptr<Caller> NewWeirCaller(const std::string& address);
std::unique_ptr<Answerer> NewWeirAnswerer();
std::unique_ptr<Caller> NewGrpcppCaller(const std::string& address);
std::unique_ptr<Answerer> NewGrpcppAnswerer();

}  // namespace weir::differential
