// ClientCallPtr: the user's hold on a call, which is cancelled when it is dropped.
//
// For generated code, which is compiled without the definition of ClientCall (client_call.h): that is half of the
// client.
#pragma once

#include <memory>
#include <utility>

#include "weir/rpc/core/call.h"

namespace weir {

class ClientCall;

class ClientCallPtr {
 public:
  explicit ClientCallPtr(const std::shared_ptr<ClientCall>& call);
  ClientCallPtr(ClientCallPtr&&) = default;
  ClientCallPtr& operator=(ClientCallPtr&& other) {
    if (call_ != nullptr) Abandon();
    call_ = std::move(other.call_);
    return *this;
  }
  ~ClientCallPtr() {
    if (call_ != nullptr) Abandon();
  }

  ClientCall* operator->() const;
  ClientCall& operator*() const;
  // The same, as both sides know it.
  Call& base() const { return *call_; }

 private:
  void Abandon() const;

  std::shared_ptr<Call> call_;  // a ClientCall
};

}  // namespace weir
