// ChannelCredentials: how a channel's connections are secured.
#pragma once

namespace weir {

class ChannelCredentials {
 public:
  friend ChannelCredentials InsecureChannelCredentials();

 private:
  ChannelCredentials() = default;
};

// Cleartext HTTP/2 with prior knowledge (h2c).
inline ChannelCredentials InsecureChannelCredentials() { return ChannelCredentials(); }

}  // namespace weir
