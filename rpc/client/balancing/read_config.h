// ReadConfig: the configuration of a load-balancing policy, field by field.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "weir/rpc/client/service_config/json_reader.h"
#include "weir/rpc/client/service_config/json_value.h"

namespace weir {

class PolicyConfig {
 public:
  // `config` must outlive it; null: nothing is set.
  PolicyConfig(std::string_view policy, const JsonValue& config)
      : policy_(policy), fields_(config.is_null() ? nothing_ : config, "", &errors_) {}
  PolicyConfig(const PolicyConfig&) = delete;
  PolicyConfig& operator=(const PolicyConfig&) = delete;

  const JsonReader& fields() const { return fields_; }

  // INVALID_ARGUMENT names every mistake that was met so far.
  absl::Status status() const {
    if (errors_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("load balancing policy ", policy_, ": ", absl::StrJoin(errors_, "; ")));
  }

 private:
  const std::string policy_;
  const JsonValue nothing_{JsonValue::Object()};
  JsonErrors errors_;
  const JsonReader fields_;
};

}  // namespace weir
