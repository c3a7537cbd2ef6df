#include "weir/rpc/server/server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "weir/rpc/server/dispatcher.h"
#include "weir/rpc/server/handover.h"
#include "weir/rpc/server/in_process_listener.h"
#include "weir/rpc/server/server_loop.h"
#include "weir/transport/io/adopt_descriptor.h"
#include "weir/transport/io/blocking_executor.h"
#include "weir/transport/io/listen_fds.h"
#include "weir/transport/io/loop_pool.h"
#include "weir/transport/io/memory_limit.h"
#include "weir/transport/io/mutex.h"
#include "weir/transport/io/signal_watcher.h"
#include "weir/transport/io/socket_address.h"
#include "weir/transport/io/stream_security.h"
#include "weir/transport/io/tcp.h"
#include "weir/transport/io/worker_pool.h"

namespace weir {
namespace {

int LoopThreads(const ServerOptions& options) {
  if (options.loop_threads > 0) return options.loop_threads;
  const unsigned cpus = std::thread::hardware_concurrency();
  return cpus == 0 ? 1 : static_cast<int>(cpus);
}

constexpr std::string_view kSystemd = "systemd:";

// "localhost:PORT" too, which is what people type first.
absl::StatusOr<transport::SocketAddress> ParseListenAddress(std::string_view address) {
  constexpr std::string_view kLocalhost = "localhost:";
  if (address.substr(0, kLocalhost.size()) != kLocalhost) return transport::SocketAddress::Parse(address);
  return transport::SocketAddress::Parse("127.0.0.1:" + std::string(address.substr(kLocalhost.size())));
}

mux::MemoryCeilings Ceilings(const ServerOptions& options) {
  const size_t all = transport::MemoryLimit();
  return {.soft_bytes = options.memory_soft_bytes != 0 ? options.memory_soft_bytes : all / 2,
          .hard_bytes = options.memory_hard_bytes != 0 ? options.memory_hard_bytes : all / 4 * 3};
}

// Runs `work` on `loop` and waits for it. On the loop itself: at once.
void RunOn(transport::EventLoop& loop, const std::function<void()>& work) {
  if (loop.IsCurrent()) return work();
  transport::BlockingExecutor waiter;
  loop.Post([&work, &waiter] {
    work();
    waiter.Finish();
  });
  waiter.RunUntilDone();
}

}  // namespace

class Server::Impl {
 public:
  using Security = std::shared_ptr<transport::StreamSecurity>;  // null: cleartext

  explicit Impl(ServerOptions options) : options_(std::move(options)) {
    if (wire::IsIdentity(options_.compression) || options_.compressors.Find(options_.compression) != nullptr) return;
    setup_ = absl::InvalidArgumentError(absl::StrCat("ServerOptions::compression: expected one of ",
                                                     options_.compressors.accept_encoding(), ", got \"",
                                                     options_.compression, "\"; add it to `compressors`"));
  }

  ~Impl() {
    Drain(absl::ZeroDuration()).IgnoreError();
    if (loops_ == nullptr) return;
    // No handler runs any more. What lives on a loop goes there, because the loops may go on after us: channels in this
    // process live on them, too. Otherwise this ends their threads.
    workers_.reset();
    for (auto& shard : shards_) RunOn(shard->loop(), [&shard] { shard.reset(); });
    loops_.reset();
  }

  void AddService(Service& service) {
    absl::Status added = dispatcher_.Add(service);
    if (setup_.ok()) setup_ = std::move(added);
  }

  absl::Status Listen(std::string_view address, const Security& security) {
    if (absl::Status usable = Usable(security); !usable.ok()) return usable;
    if (absl::Status may_block = transport::BlockingExecutor::MayBlock("Server::Listen"); !may_block.ok()) {
      return may_block;
    }
    if (address.starts_with(kSystemd)) return ListenOnPassedFds(address.substr(kSystemd.size()), security);
    absl::StatusOr<transport::SocketAddress> parsed = ParseListenAddress(address);
    if (!parsed.ok()) return parsed.status();
    return AddListener(security, [&parsed](transport::TcpListener& listener) { return listener.Listen(*parsed); });
  }

  absl::Status ListenOn(int fd, const Security& security) {
    if (absl::Status usable = Usable(security); !usable.ok()) return usable;
    if (absl::Status may_block = transport::BlockingExecutor::MayBlock("Server::ListenOn"); !may_block.ok()) {
      return may_block;
    }
    return AddListener(security, [fd](transport::TcpListener& listener) { return listener.ListenOn(fd); });
  }

  absl::Status StopListening(std::string_view address) {
    if (absl::Status may_block = transport::BlockingExecutor::MayBlock("Server::StopListening"); !may_block.ok()) {
      return may_block;
    }
    bool found = false;
    if (loops_ != nullptr) {
      RunOn(accept_loop(), [&] {
        const auto is_it = [address](const auto& listener) { return listener->address().ToString() == address; };
        found = std::erase_if(listeners_, is_it) > 0;
      });
    }
    transport::MutexLock lock(mutex_);
    if (!found) {
      return absl::NotFoundError(absl::StrCat("StopListening: expected one of ", absl::StrJoin(addresses_, ", "),
                                              ", got ", std::string(address)));
    }
    std::erase(addresses_, address);
    return absl::OkStatus();
  }

  absl::Status OfferHandover(std::string_view path) {
    if (absl::Status may_block = transport::BlockingExecutor::MayBlock("Server::OfferHandover"); !may_block.ok()) {
      return may_block;
    }
    if (absl::Status started = EnsureStarted(); !started.ok()) return started;
    absl::Status offered;
    RunOn(accept_loop(), [&] {
      auto offer = std::make_unique<HandoverOffer>(
          accept_loop(), [this] { return ListeningFds(); }, [this] { OnTakenOver(); });
      offered = offer->Listen(path);
      if (offered.ok()) offer_ = std::move(offer);
    });
    return offered;
  }

  absl::Status TakeOver(std::string_view path, const Security& security) {
    if (absl::Status may_block = transport::BlockingExecutor::MayBlock("Server::TakeOver"); !may_block.ok()) {
      return may_block;
    }
    absl::StatusOr<Takeover> takeover = Takeover::From(path);
    if (!takeover.ok()) return takeover.status();
    for (int& fd : takeover->sockets()) {
      if (absl::Status listening = ListenOn(fd, security); !listening.ok()) return listening;
      fd = -1;
    }
    return takeover->Complete();
  }

  absl::Status AddConnection(int fd, const Security& security) {
    if (absl::Status usable = Usable(security); !usable.ok()) return usable;
    if (absl::Status adopted = transport::AdoptConnected(fd); !adopted.ok()) return adopted;
    if (absl::Status started = EnsureStarted(); !started.ok()) return started;
    Serve(fd, security);
    return absl::OkStatus();
  }

  std::vector<std::string> addresses() const {
    transport::MutexLock lock(mutex_);
    return addresses_;
  }

  absl::StatusOr<InProcessListener> ListenInProcess() {
    if (!setup_.ok()) return setup_;
    if (absl::Status started = EnsureStarted(); !started.ok()) return started;
    transport::MutexLock lock(start_mutex_);
    return InProcessListener(loops_, shards_[in_process_count_++ % shards_.size()], accepted_);
  }

  int port() const { return port_; }
  size_t connection_count() const { return connections_.load(std::memory_order_relaxed); }
  uint64_t refused_connection_count() const { return refused_.load(std::memory_order_relaxed); }
  uint64_t refused_call_count() const { return totals_.calls.refused_count(); }
  const PeerCounts& peer_counts() const { return counts_; }
  MemoryUse memory_use() const {
    using Act = mux::MemoryAct;
    return {.held_bytes = totals_.memory.bytes(),
            .deferred_calls = totals_.memory.count(Act::kDeferred),
            .rationed_connections = totals_.memory.count(Act::kRationed),
            .ended_connections = totals_.memory.count(Act::kEndedByConnection),
            .ended_by_all = totals_.memory.count(Act::kEndedByTotal)};
  }

  absl::Status Drain(absl::Duration grace) {
    if (absl::Status may_block = transport::BlockingExecutor::MayBlock("Server::Drain"); !may_block.ok()) {
      return may_block;
    }
    if (loops_ == nullptr) return absl::OkStatus();
    BeginDrain();
    const size_t left = WaitUntilGone(grace);
    if (left == 0) return absl::OkStatus();
    StopAll();
    return absl::DeadlineExceededError(absl::StrCat("drain: ", left, " connection(s) still had calls after ",
                                                    absl::FormatDuration(grace), "; they were cancelled"));
  }

  absl::Status RunUntilSignal() {
    transport::SignalWatcher signals;
    if (!signals.status().ok()) return signals.status();
    WaitForSignalOrSuccessor(signals);
    if (loops_ == nullptr) return absl::OkStatus();
    BeginDrain();
    // Short waits, because a second signal and the last connection's end may each come first.
    const absl::Time end = absl::Now() + options_.drain_grace;
    while (absl::Now() < end) {
      if (WaitUntilGone(absl::Milliseconds(50)) == 0) return absl::OkStatus();
      if (signals.Wait(absl::ZeroDuration()) > 0) break;
    }
    return Drain(absl::ZeroDuration());
  }

 private:
  transport::EventLoop& accept_loop() { return loops_->loop(0); }

  absl::Status Usable(const Security& security) const {
    if (!setup_.ok() || security == nullptr) return setup_;
    return security->status();
  }

  size_t MaxConnections() const {
    if (options_.max_connections > 0) return options_.max_connections;
    constexpr size_t kMost = 10'000;
    rlimit descriptors{};
    if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return kMost;
    return static_cast<size_t>(std::min<rlim_t>(kMost, descriptors.rlim_cur / 10 * 8));
  }

  // Any thread may come first.
  absl::Status EnsureStarted() {
    transport::MutexLock lock(start_mutex_);
    return loops_ != nullptr ? absl::OkStatus() : StartThreads();
  }

  absl::Status AddListener(const Security& security,
                           const std::function<absl::Status(transport::TcpListener&)>& listen) {
    if (absl::Status started = EnsureStarted(); !started.ok()) return started;
    absl::Status listening;
    RunOn(accept_loop(), [&] {
      auto listener =
          std::make_unique<transport::TcpListener>(accept_loop(), [this, security](int fd) { OnAccept(fd, security); });
      listening = listen(*listener);
      if (!listening.ok()) return;
      if (port_ == 0) port_ = listener->address().port();
      transport::MutexLock lock(mutex_);
      addresses_.push_back(listener->address().ToString());
      listeners_.push_back(std::move(listener));
    });
    return listening;
  }

  // Both on the accept loop.
  std::vector<int> ListeningFds() const {
    std::vector<int> fds;
    for (const auto& listener : listeners_) fds.push_back(listener->fd());
    return fds;
  }
  void OnTakenOver() {
    for (auto& listener : listeners_) listener->KeepFile();
    listeners_.clear();
    {
      transport::MutexLock lock(mutex_);
      addresses_.clear();
      taken_over_ = true;
      if (signals_ != nullptr) signals_->Wake();
    }
    offer_.reset();  // last: it has called this, and the successor goes on
  }

  void WaitForSignalOrSuccessor(transport::SignalWatcher& signals) {
    {
      transport::MutexLock lock(mutex_);
      if (taken_over_) return;
      signals_ = &signals;
    }
    signals.Wait(absl::InfiniteDuration());
    transport::MutexLock lock(mutex_);
    signals_ = nullptr;
  }

  // `name` empty: all.
  absl::Status ListenOnPassedFds(std::string_view name, const Security& security) {
    absl::StatusOr<std::vector<transport::ListenFd>> fds = transport::ListenFds();
    if (!fds.ok()) return fds.status();
    bool found = false;
    std::string names;
    for (const transport::ListenFd& passed : *fds) {
      absl::StrAppend(&names, names.empty() ? "" : ", ", passed.fd, " \"", passed.name, "\"");
      if (!name.empty() && passed.name != name) continue;
      found = true;
      if (absl::Status listening = ListenOn(passed.fd, security); !listening.ok()) return listening;
    }
    if (found) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(kSystemd), std::string(name), ": expected a socket in LISTEN_FDS, got ",
                     names.empty() ? "none; start the process by its socket unit" : names));
  }

  absl::Status StartThreads() WEIR_REQUIRES(start_mutex_) {
    absl::StatusOr<std::unique_ptr<transport::LoopPool>> loops =
        transport::LoopPool::Start(LoopThreads(options_), "weir-server");
    if (!loops.ok()) return loops.status();
    loops_ = *std::move(loops);
    if (options_.worker_threads > 0) {
      workers_ = std::make_unique<transport::WorkerPool>(options_.worker_threads);
      handler_queue_ = std::make_unique<HandlerQueue>(*workers_, QueuedHandlersMax(options_));
    }
    for (size_t i = 0; i < loops_->size(); ++i) {
      shards_.push_back(std::make_shared<ServerLoop>(
          loops_->loop(i), handler_queue_.get(), dispatcher_, options_, counts_,
          [this](int change) { OnConnectionCount(change); }, &totals_));
    }
    const auto relieve = [all = std::vector<std::weak_ptr<ServerLoop>>(shards_.begin(), shards_.end()),
                          loops = loops_.get()] {
      for (size_t i = 0; i < all.size(); ++i) {
        loops->loop(i).Post([shard = all[i]] {
          if (const std::shared_ptr<ServerLoop> held = shard.lock()) held->RelieveMemory();
        });
      }
    };
    for (const auto& shard : shards_) shard->OnOthersMemory(relieve);
    return absl::OkStatus();
  }

  void OnAccept(int fd, const Security& security) {
    if (connections_ + arriving_ < max_connections_) return Serve(fd, security);
    const bool told = refused_++ > 0;  // before its client can know
    ::close(fd);
    if (told) return;
    std::fprintf(stderr,
                 "weir::Server: closed a new connection, because %zu are open (ServerOptions::max_connections)\n",
                 max_connections_);
  }

  void Serve(int fd, const Security& security) {
    ++arriving_;
    const uint64_t number = ++*accepted_;
    ServerLoop& shard = *shards_[number % shards_.size()];
    auto add = [this, &shard, fd, number, security] {
      bool owned = false;
      try {
        std::unique_ptr<transport::ByteStream> stream = transport::MakeTcpStream(shard.loop(), fd);
        owned = true;
        if (security != nullptr) stream = security->Secure(shard.loop(), std::move(stream), "");
        shard.Add(std::move(stream), absl::StrCat("s", number));
      } catch (const std::bad_alloc&) {
        if (!owned) ::close(fd);
      }
      --arriving_;
    };
    if (shard.loop().IsCurrent()) return add();
    try {
      shard.loop().Post(add);
    } catch (const std::bad_alloc&) {
      ::close(fd);
      --arriving_;
    }
  }

  void OnConnectionCount(int change) {
    transport::MutexLock lock(mutex_);
    connections_ += static_cast<size_t>(change);
    changed_.NotifyAll();
  }

  void BeginDrain() {
    RunOn(accept_loop(), [this] {
      listeners_.clear();
      offer_.reset();
    });
    // After the listeners: every accepted connection is ahead of this in its loop's queue.
    for (auto& shard : shards_) RunOn(shard->loop(), [&shard] { shard->BeginDrain(); });
  }

  void StopAll() {
    const absl::Status why = absl::UnavailableError("the server is shutting down");
    for (auto& shard : shards_) RunOn(shard->loop(), [&shard, &why] { shard->StopAll(why); });
    WaitUntilGone(absl::InfiniteDuration());
  }

  // Returns the number of connections that are left after at most `timeout`.
  size_t WaitUntilGone(absl::Duration timeout) {
    const absl::Time end = absl::Now() + timeout;
    transport::MutexLock lock(mutex_);
    while (connections_ != 0) {
      const absl::Duration left = end - absl::Now();
      if (left <= absl::ZeroDuration()) break;
      // Not longer at once: the time at which an endless wait ends cannot be represented, and the wait would be none.
      changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(std::min(left, absl::Hours(1))));
    }
    return connections_;
  }

  const ServerOptions options_;
  ServerTotals totals_{Ceilings(options_), options_.max_calls};
  const size_t max_connections_ = MaxConnections();
  PeerCounts counts_;
  absl::Status setup_;
  Dispatcher dispatcher_;
  transport::Mutex start_mutex_;
  std::shared_ptr<transport::LoopPool> loops_;  // null before the first Listen
  std::unique_ptr<transport::WorkerPool> workers_;
  std::unique_ptr<HandlerQueue> handler_queue_;  // null: handlers run on loops
  std::vector<std::shared_ptr<ServerLoop>> shards_;
  std::vector<std::unique_ptr<transport::TcpListener>> listeners_;  // on the accept loop
  std::unique_ptr<HandoverOffer> offer_;                            // there, too; null: none
  const std::shared_ptr<std::atomic<uint64_t>> accepted_ = std::make_shared<std::atomic<uint64_t>>(0);
  size_t in_process_count_ WEIR_GUARDED_BY(start_mutex_) = 0;
  std::atomic<int> port_ = 0;

  mutable transport::Mutex mutex_;
  std::vector<std::string> addresses_ WEIR_GUARDED_BY(mutex_);
  bool taken_over_ WEIR_GUARDED_BY(mutex_) = false;
  transport::SignalWatcher* signals_ WEIR_GUARDED_BY(mutex_) = nullptr;  // set while RunUntilSignal waits
  transport::CondVar changed_;
  std::atomic<size_t> connections_ = 0;  // changed under mutex_
  std::atomic<size_t> arriving_ = 0;     // accepted, and not yet among them
  std::atomic<uint64_t> refused_ = 0;
};

Server::Server() : Server(ServerOptions()) {}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(options)) {}
Server::~Server() = default;
void Server::AddService(Service& service) { impl_->AddService(service); }
absl::Status Server::Listen(std::string_view address, ServerCredentials credentials) {
  return impl_->Listen(address, credentials.security());
}
absl::Status Server::ListenOn(int fd, ServerCredentials credentials) {
  return impl_->ListenOn(fd, credentials.security());
}
absl::Status Server::StopListening(std::string_view address) { return impl_->StopListening(address); }
absl::Status Server::OfferHandover(std::string_view path) { return impl_->OfferHandover(path); }
absl::Status Server::TakeOver(std::string_view path, ServerCredentials credentials) {
  return impl_->TakeOver(path, credentials.security());
}
absl::Status Server::AddConnection(int fd, ServerCredentials credentials) {
  return impl_->AddConnection(fd, credentials.security());
}
absl::StatusOr<InProcessListener> Server::ListenInProcess() { return impl_->ListenInProcess(); }
int Server::port() const { return impl_->port(); }
std::vector<std::string> Server::addresses() const { return impl_->addresses(); }
absl::Status Server::RunUntilSignal() { return impl_->RunUntilSignal(); }
absl::Status Server::Drain(absl::Duration grace) { return impl_->Drain(grace); }
void Server::Stop() { impl_->Drain(absl::ZeroDuration()).IgnoreError(); }
size_t Server::connection_count() const { return impl_->connection_count(); }
uint64_t Server::refused_connection_count() const { return impl_->refused_connection_count(); }
uint64_t Server::refused_call_count() const { return impl_->refused_call_count(); }
uint64_t Server::timeout_count(Timeout which) const { return impl_->peer_counts().count(which); }
uint64_t Server::limit_count(transport::H2Limit which) const { return impl_->peer_counts().count(which); }
MemoryUse Server::memory_use() const { return impl_->memory_use(); }

}  // namespace weir
