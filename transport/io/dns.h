// Resolver: host names to addresses without stopping a loop: getaddrinfo on threads of its own.
//
//   auto query = resolver.Resolve(loop, "greeter.internal", 50051, [](auto addresses) { ... });   // keep it; drop to cancel
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/mutex.h"
#include "weir/transport/io/socket_address.h"

namespace weir::transport {

struct ResolverOptions {
  size_t threads = 2;  // lookups at a time; the others wait
  // Takes the place of getaddrinfo, on the resolver's threads.
  std::function<absl::StatusOr<std::vector<SocketAddress>>(const std::string& host, uint16_t port)> lookup;
};

class Resolver {
 public:
  using Addresses = std::vector<SocketAddress>;  // in the order of RFC 6724, at least one
  using OnDone = std::function<void(absl::StatusOr<Addresses>)>;

  // A question that has not been answered. Belongs to the loop's thread, must not outlive the loop. After it is
  // destroyed `on_done` does not come.
  class Query {
   public:
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

   private:
    friend class Resolver;
    struct Shared;
    explicit Query(std::shared_ptr<Shared> shared);
    std::shared_ptr<Shared> shared_;
  };

  explicit Resolver(ResolverOptions options = {});
  // Does not wait. The system's resolver cannot be interrupted (its own limit is some 10 s): a thread in the middle of
  // a lookup ends when that does. What `lookup` needs must be its own.
  ~Resolver();

  // `on_done` runs on the loop, once, never inside this call; it may destroy the query. A numeric host (IPv6 without or
  // with brackets) needs no lookup. UNAVAILABLE names the host and the resolver's reason. From the loop's thread; loops
  // of several threads may share a resolver.
  std::unique_ptr<Query> Resolve(EventLoop& loop, std::string host, uint16_t port, OnDone on_done);

 private:
  struct Lookups;
  absl::Status StartThreads() WEIR_REQUIRES(mutex_);

  ResolverOptions options_;
  const std::shared_ptr<Lookups> lookups_;
  Mutex mutex_;
  std::vector<std::thread> threads_;  // started by the first lookup, under mutex_
};

}  // namespace weir::transport
