#include "weir/transport/io/dns.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "weir/transport/io/system_error.h"
#include "weir/transport/io/thread.h"

namespace weir::transport {
namespace {

// "Name resolution APIs SHOULD recognize localhost names as special and SHOULD always return the IP loopback address"
// (RFC 6761 section 6.3). The system's does not where /etc/hosts is missing, as in bare containers.
absl::StatusOr<Resolver::Addresses> Loopback(uint16_t port) {
  Resolver::Addresses addresses;
  for (const char* host : {"127.0.0.1", "::1"}) {
    absl::StatusOr<SocketAddress> address = SocketAddress::FromHostAndPort(host, port);
    if (!address.ok()) return address.status();
    addresses.push_back(*address);
  }
  return addresses;
}

absl::StatusOr<Resolver::Addresses> SystemLookup(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) {
    if (host == "localhost") return Loopback(port);
    const std::string reason = error == EAI_SYSTEM ? SystemErrorText(errno) : std::string(::gai_strerror(error));
    return absl::UnavailableError("resolve \"" + host + "\": " + reason);
  }
  Resolver::Addresses addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    addresses.push_back(SocketAddress::FromRaw(entry->ai_addr, entry->ai_addrlen));
  }
  ::freeaddrinfo(list);
  if (addresses.empty()) return absl::UnavailableError("resolve \"" + host + "\": no IPv4 or IPv6 address");
  return addresses;
}

}  // namespace

// Known to the query, the worker and the work posted to the loop. The mutex makes the worker's Post and the query's end
// exclude each other: a loop is posted to only while the query, which the loop outlives, is there.
struct Resolver::Query::Shared {
  void Answer(absl::StatusOr<Addresses> answer, std::shared_ptr<Shared> self) {
    MutexLock lock(mutex);
    if (cancelled) return;
    loop.Post([self = std::move(self), answer = std::move(answer)]() mutable {
      OnDone done;
      {
        MutexLock inner(self->mutex);
        if (!self->cancelled) done = std::move(self->on_done);
      }
      if (done) done(std::move(answer));
    });
  }

  Shared(EventLoop& l, OnDone d) : loop(l), on_done(std::move(d)) {}

  EventLoop& loop;
  Mutex mutex;
  bool cancelled WEIR_GUARDED_BY(mutex) = false;
  OnDone on_done WEIR_GUARDED_BY(mutex);
};

Resolver::Query::Query(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

Resolver::Query::~Query() {
  OnDone dropped;  // destroyed here, on the loop's thread, not on the worker's
  MutexLock lock(shared_->mutex);
  shared_->cancelled = true;
  dropped.swap(shared_->on_done);
}

// What the threads run on is theirs as much as the resolver's: one that is in the middle of a lookup is left to itself.
struct Resolver::Lookups {
  void Run(size_t thread) {
    while (true) {
      std::function<void()> work;
      {
        MutexLock lock(mutex);
        busy[thread] = false;
        while (posted.empty() && !ended) changed.Wait(mutex);
        if (ended) return;
        work = std::move(posted.front());
        posted.pop_front();
        busy[thread] = true;
      }
      work();
    }
  }

  Mutex mutex;
  CondVar changed;
  std::deque<std::function<void()>> posted WEIR_GUARDED_BY(mutex);
  std::vector<bool> busy WEIR_GUARDED_BY(mutex);
  bool ended WEIR_GUARDED_BY(mutex) = false;
};

Resolver::Resolver(ResolverOptions options) : options_(std::move(options)), lookups_(std::make_shared<Lookups>()) {
  if (!options_.lookup) options_.lookup = SystemLookup;
}

Resolver::~Resolver() {
  std::vector<bool> busy;
  {
    MutexLock lock(lookups_->mutex);
    lookups_->ended = true;
    busy = lookups_->busy;
    lookups_->changed.NotifyAll();
  }
  for (size_t i = 0; i < threads_.size(); ++i) busy[i] ? threads_[i].detach() : threads_[i].join();
}

absl::Status Resolver::StartThreads() {
  while (threads_.size() < std::max<size_t>(options_.threads, 1)) {
    const size_t number = threads_.size();
    {
      MutexLock lock(lookups_->mutex);
      lookups_->busy.resize(number + 1, false);
    }
    absl::StatusOr<std::thread> thread =
        StartThread("weir-resolver", [lookups = lookups_, number] { lookups->Run(number); });
    if (!thread.ok()) return threads_.empty() ? thread.status() : absl::OkStatus();  // fewer will do
    threads_.push_back(*std::move(thread));
  }
  return absl::OkStatus();
}

std::unique_ptr<Resolver::Query> Resolver::Resolve(EventLoop& loop, std::string host, uint16_t port, OnDone on_done) {
  auto shared = std::make_shared<Query::Shared>(loop, std::move(on_done));
  std::unique_ptr<Query> query(new Query(shared));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (absl::StatusOr<SocketAddress> numeric = SocketAddress::FromHostAndPort(host, port); numeric.ok()) {
    shared->Answer(Addresses{*numeric}, shared);
    return query;
  }
  MutexLock starting(mutex_);
  if (const absl::Status started = StartThreads(); !started.ok()) {
    shared->Answer(absl::UnavailableError("resolve \"" + host + "\": " + std::string(started.message())), shared);
    return query;
  }
  MutexLock posting(lookups_->mutex);
  lookups_->posted.push_back([lookup = options_.lookup, shared = std::move(shared), host = std::move(host), port] {
    {
      MutexLock checking(shared->mutex);
      if (shared->cancelled) return;
    }
    shared->Answer(lookup(host, port), shared);
  });
  lookups_->changed.NotifyOne();
  return query;
}

}  // namespace weir::transport
