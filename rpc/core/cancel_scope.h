// CancelScope: several calls that can be cancelled together, because they were made with it as their parent.
//
//   weir::CancelScope scope(context);                                   // or without a parent
//   auto first = greeter.SayHello(request, weir::CallOptions().Parent(scope));
//   ...
//   scope.Cancel();
//
// It inherits from its own parent as a call would, and is cancelled with it.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/parent_call.h"

namespace weir {

class CancelScope final : public ParentCall {
 public:
  CancelScope() = default;
  // `parent` is used here only.
  explicit CancelScope(const ParentCall& parent)
      : method_(parent.method()),
        deadline_(parent.deadline()),
        monotonic_deadline_(parent.monotonic_deadline()),
        metadata_(parent.metadata()) {
    follow_.emplace(parent.stop_token(), [this] { Cancel(); });
  }
  // A scope below another one, not a copy.
  explicit CancelScope(const CancelScope& above) : CancelScope(static_cast<const ParentCall&>(above)) {}
  CancelScope& operator=(const CancelScope&) = delete;

  // Any thread.
  void Cancel() { source_.request_stop(); }
  bool IsCancelled() const { return source_.stop_requested(); }

  std::string_view method() const override { return method_; }
  absl::Time deadline() const override { return deadline_; }
  std::optional<std::chrono::steady_clock::time_point> monotonic_deadline() const override {
    return monotonic_deadline_;
  }
  const Metadata& metadata() const override { return metadata_; }
  std::stop_token stop_token() const override { return source_.get_token(); }

 private:
  const std::string method_ = "(a CancelScope)";
  const absl::Time deadline_ = absl::InfiniteFuture();
  const std::optional<std::chrono::steady_clock::time_point> monotonic_deadline_;
  const Metadata metadata_{};  // braces: clang asks for them
  std::stop_source source_;
  std::optional<std::stop_callback<std::function<void()>>> follow_;
};

}  // namespace weir
