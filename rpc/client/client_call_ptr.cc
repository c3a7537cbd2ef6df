#include "weir/rpc/client/client_call_ptr.h"

#include "weir/rpc/client/client_call.h"

namespace weir {

ClientCallPtr::ClientCallPtr(const std::shared_ptr<ClientCall>& call) : call_(call) {}

ClientCall* ClientCallPtr::operator->() const { return static_cast<ClientCall*>(call_.get()); }

ClientCall& ClientCallPtr::operator*() const { return *operator->(); }

void ClientCallPtr::Abandon() const { operator->()->Abandon(); }

}  // namespace weir
