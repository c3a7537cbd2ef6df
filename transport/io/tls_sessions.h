// TlsSessions: what servers gave a client to resume by, one connection's round of signatures saved each time.
//
// A session is used for the name that its certificate was verified for, and once (RFC 8446 appendix C.4).
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "weir/transport/io/mutex.h"
#include "weir/transport/io/tls_handles.h"

namespace weir::transport {

class TlsSessions {
 public:
  static constexpr size_t kPerHostMax = 2;  // servers send as many
  static constexpr size_t kHostsMax = 256;

  // Any thread. The newest of a host is given first.
  void Put(std::string_view host, SslSessionPtr session) {
    MutexLock lock(mutex_);
    auto it = hosts_.find(host);
    if (it == hosts_.end()) {
      if (hosts_.size() >= kHostsMax) hosts_.erase(hosts_.begin());
      it = hosts_.emplace(std::string(host), std::deque<SslSessionPtr>()).first;
    }
    it->second.push_back(std::move(session));
    if (it->second.size() > kPerHostMax) it->second.pop_front();
  }
  SslSessionPtr Take(std::string_view host) {
    MutexLock lock(mutex_);
    const auto it = hosts_.find(host);
    if (it == hosts_.end() || it->second.empty()) return nullptr;
    SslSessionPtr session = std::move(it->second.back());
    it->second.pop_back();
    return session;
  }

 private:
  Mutex mutex_;
  std::map<std::string, std::deque<SslSessionPtr>, std::less<>> hosts_ WEIR_GUARDED_BY(mutex_);
};

}  // namespace weir::transport
