#include "weir/examples/etcd_resolver/registration.h"

#include <chrono>
#include <iostream>
#include <optional>
#include <utility>

Registration::Registration(weir::Channel& etcd, std::string key, std::string address, absl::Duration ttl)
    : key_(std::move(key)), address_(std::move(address)), ttl_(ttl), kv_(etcd), leases_(etcd) {}

Registration::~Registration() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  if (keeper_.joinable()) keeper_.join();
  if (lease_ == 0) return;
  etcdserverpb::LeaseRevokeRequest revoke;
  revoke.set_id(lease_);
  const auto revoked = leases_.LeaseRevoke(revoke, weir::CallOptions().Timeout(absl::Seconds(1))).Wait();
  if (!revoked.ok()) std::cerr << "etcd: " << key_ << " stays until its lease ends: " << revoked.status() << "\n";
}

// No call takes longer than the time after which it would be too late.
weir::CallOptions Registration::Patient() const { return weir::CallOptions().Timeout(ttl_ / 3); }

absl::Status Registration::Begin() {
  const absl::Status registered = Register();
  if (registered.ok()) keeper_ = std::thread([this] { Keep(); });
  return registered;
}

absl::Status Registration::Register() {
  etcdserverpb::LeaseGrantRequest wanted;
  wanted.set_ttl(absl::ToInt64Seconds(ttl_));
  const absl::StatusOr<etcdserverpb::LeaseGrantResponse> granted = leases_.LeaseGrant(wanted, Patient()).Wait();
  if (!granted.ok()) return granted.status();
  lease_ = granted->id();
  etcdserverpb::PutRequest put;
  put.set_key(key_);
  put.set_value(address_);
  put.set_lease(lease_);
  return kv_.Put(put, Patient()).Wait().status();
}

absl::Status Registration::KeepAlive() {
  etcdserverpb::LeaseKeepAliveRequest beat;
  beat.set_id(lease_);
  auto call = leases_.LeaseKeepAlive(Patient());
  call.Write(beat).Wait();
  const std::optional<etcdserverpb::LeaseKeepAliveResponse> kept = call.Read().Wait();
  const absl::Status ended = call.Finish().Wait();
  if (!kept.has_value()) return ended.ok() ? absl::UnavailableError("no answer") : ended;
  if (kept->ttl() == 0) return absl::NotFoundError("the lease is over");
  return absl::OkStatus();
}

void Registration::Keep() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, absl::ToChronoMilliseconds(ttl_ / 3), [this] { return stopped_; })) {
    lock.unlock();
    absl::Status kept = KeepAlive();
    if (absl::IsNotFound(kept)) kept = Register();  // etcd was away for so long, or we were
    if (!kept.ok()) std::cerr << "etcd: cannot keep " << key_ << ": " << kept << "\n";
    lock.lock();
  }
}
