#include "weir/rpc/client/credentials.h"

namespace weir {

ChannelCredentials CompositeChannelCredentials(ChannelCredentials channel_credentials,
                                               std::shared_ptr<CallCredentials> call_credentials) {
  const auto& known = channel_credentials.call_credentials_;
  auto all = known == nullptr ? std::make_shared<CallCredentialsList>() : std::make_shared<CallCredentialsList>(*known);
  all->push_back(std::move(call_credentials));
  channel_credentials.call_credentials_ = std::move(all);
  return channel_credentials;
}

}  // namespace weir
