// Registration: says in etcd where a server is, for as long as it lives.
//
//   Registration registration(etcd, "greeters/a", "10.0.0.7:50051");
//   absl::Status status = registration.Begin();
//
// The key hangs on a lease, which is renewed at a third of its time: a server that crashes or hangs is gone from etcd
// when that is over. One that ends by itself takes the key away first, so that clients have left when it drains.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/etcd_resolver/etcd.weir.pb.h"
#include "weir/rpc/client/channel.h"

class Registration {
 public:
  // `ttl`: whole seconds; etcd takes no less than its time for an election, 2 s by default.
  Registration(weir::Channel& etcd, std::string key, std::string address, absl::Duration ttl = absl::Seconds(5));
  // Takes the key away, if etcd can be reached within a second.
  ~Registration();
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  // Once. Returns when the key is there, and keeps it from then on.
  absl::Status Begin();

 private:
  absl::Status Register();
  absl::Status KeepAlive();
  void Keep();
  weir::CallOptions Patient() const;

  const std::string key_;
  const std::string address_;
  const absl::Duration ttl_;
  etcdserverpb::KVClient kv_;
  etcdserverpb::LeaseClient leases_;
  int64_t lease_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  std::thread keeper_;
};
