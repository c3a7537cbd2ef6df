#include "weir/examples/etcd_resolver/etcd_resolver.h"

#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "examples/etcd_resolver/etcd.weir.pb.h"
#include "weir/rpc/client/target.h"
#include "weir/rpc/core/cancel_scope.h"
#include "weir/transport/io/event_loop.h"

namespace {

using weir::Resolution;
using weir::Task;

// All keys that begin with `prefix`: up to the first one that does not.
std::string EndOf(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::string(1, '\0');  // etcd: to the last key
  ++prefix.back();
  return prefix;
}

// "///greeters/" -> "greeters/"
std::string PrefixOf(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(path);
}

// Lets the coroutine, which lives on the loop of etcd's channel, reach a resolver that may have gone.
class Following : public std::enable_shared_from_this<Following> {
 public:
  Following(weir::Channel& etcd, const weir::NameResolverArgs& args)
      : prefix_(PrefixOf(args.target.path)), etcd_(etcd), loop_(&args.loop), listener_(&args.listener) {}

  // On the loop of the channel that asks.
  void Begin() {
    if (std::exchange(runs_, true)) return;
    etcd_.Run(Follow(shared_from_this()));
  }
  void Stop() {
    scope_.Cancel();  // ends the calls, and with them the coroutine
    std::lock_guard lock(mutex_);
    loop_ = nullptr;
    listener_ = nullptr;
  }

 private:
  // All parameters of a coroutine are copies: this holds what it uses until it ends.
  static Task<void> Follow(std::shared_ptr<Following> self) {
    const absl::Status ended = co_await self->ReadAndWatch();
    self->Tell(absl::UnavailableError("etcd, prefix \"" + self->prefix_ + "\": " + ended.ToString()), /*is_last=*/true);
  }

  Task<absl::Status> ReadAndWatch() {
    const weir::CallOptions ends_with_us = weir::CallOptions().Parent(scope_);
    etcdserverpb::RangeRequest all;
    all.set_key(prefix_);
    all.set_range_end(EndOf(prefix_));
    etcdserverpb::KVClient kv(etcd_);
    absl::StatusOr<etcdserverpb::RangeResponse> found =
        co_await kv.Range(all, weir::CallOptions(ends_with_us).Timeout(absl::Seconds(10)));
    if (!found.ok()) co_return found.status();
    servers_.clear();
    for (const etcdserverpb::KeyValue& entry : found->kvs()) servers_[entry.key()] = entry.value();
    TellServers();

    // From the next revision on, so that nothing is missed in between.
    etcdserverpb::WatchRequest watch;
    watch.mutable_create_request()->set_key(prefix_);
    watch.mutable_create_request()->set_range_end(EndOf(prefix_));
    watch.mutable_create_request()->set_start_revision(found->header().revision() + 1);
    etcdserverpb::WatchClient watches(etcd_);
    auto call = watches.Watch(ends_with_us);
    const bool asked = co_await call.Write(watch);
    while (asked) {
      const std::optional<etcdserverpb::WatchResponse> change = co_await call.Read();
      if (!change.has_value()) break;
      if (change->canceled()) co_return absl::UnavailableError("etcd has ended the watch");
      for (const etcdserverpb::Event& event : change->events()) Apply(event);
      if (!change->events().empty()) TellServers();
    }
    call.Cancel();
    co_return co_await call.Finish();
  }

  void Apply(const etcdserverpb::Event& event) {
    if (event.type() == etcdserverpb::Event::DELETE) {
      servers_.erase(event.kv().key());
    } else {
      servers_[event.kv().key()] = event.kv().value();
    }
  }

  void TellServers() {
    Resolution resolution;
    for (const auto& [key, text] : servers_) {
      absl::StatusOr<weir::transport::SocketAddress> address = weir::transport::SocketAddress::Parse(text);
      if (!address.ok()) {
        std::cerr << "etcd, key \"" << key << "\": " << address.status().message() << "; it is left out\n";
        continue;
      }
      resolution.addresses.push_back(weir::ServerAddress{.address = *std::move(address), .attributes = {}});
    }
    Tell(std::move(resolution), /*is_last=*/false);
  }

  void Tell(absl::StatusOr<Resolution> resolution, bool is_last) {
    std::lock_guard lock(mutex_);
    if (loop_ == nullptr) return;
    loop_->Post([self = shared_from_this(), resolution = std::move(resolution), is_last] {
      if (is_last) self->runs_ = false;  // the channel will ask again
      if (self->listener_ != nullptr) self->listener_->OnResolution(resolution);
    });
  }

  const std::string prefix_;
  weir::Channel& etcd_;
  weir::CancelScope scope_;
  std::map<std::string, std::string> servers_;  // on the loop of etcd's channel
  bool runs_ = false;                           // on the loop of the channel that asks
  std::mutex mutex_;
  weir::transport::EventLoop* loop_;      // null: the resolver has gone; guarded by mutex_
  weir::NameResolverListener* listener_;  // changes and is used on `loop_` only
};

class Resolver final : public weir::NameResolver {
 public:
  Resolver(weir::Channel& etcd, const weir::NameResolverArgs& args)
      : following_(std::make_shared<Following>(etcd, args)) {}
  ~Resolver() override { following_->Stop(); }

  void Start() override { following_->Begin(); }
  // etcd tells of changes by itself; there is something to do only if it could not.
  void RequestReresolution() override { following_->Begin(); }

 private:
  const std::shared_ptr<Following> following_;
};

}  // namespace

weir::NameResolverFactory EtcdResolver(weir::Channel& etcd) {
  return [&etcd](const weir::NameResolverArgs& args) { return std::make_unique<Resolver>(etcd, args); };
}
