// A real etcd as server: its own grpc-go, its own messages, and streams that it lives by.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "examples/etcd_resolver/etcd.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/testing/status_matchers.h"
#include "weir/tests/interop/daemon.h"

namespace weir {
namespace {

using namespace etcdserverpb;  // all names here are etcd's
using testing::Daemon;
using testing::Folder;
using testing::IsOk;
using testing::StatusIs;

const std::vector<std::string> kCommand = {
    "/usr/bin/etcd",
    "--name=only",
    "--data-dir=data",
    "--unsafe-no-fsync",
    "--logger=zap",
    // "unix" wants a host and a port, which become the name of a socket in the folder.
    "--listen-client-urls=unix://clients:0",
    "--advertise-client-urls=unix://clients:0",
    "--listen-peer-urls=unix://peers:0",
    "--initial-advertise-peer-urls=unix://peers:0",
    "--initial-cluster=only=unix://peers:0",
};

class EtcdTest : public ::testing::Test {
 protected:
  static ChannelOptions Patient() {
    ChannelOptions options;
    options.default_timeout = absl::Seconds(30);
    return options;
  }

  PutResponse Put(const std::string& key, const std::string& value, int64_t lease = 0) {
    PutRequest request;
    request.set_key(key);
    request.set_value(value);
    request.set_lease(lease);
    absl::StatusOr<PutResponse> response = kv_.Put(request).Wait();
    EXPECT_THAT(response, IsOk());
    return response.value_or(PutResponse());
  }
  // All keys that begin with `prefix`.
  RangeResponse Get(const std::string& prefix) {
    RangeRequest request;
    request.set_key(prefix);
    std::string end = prefix;
    ++end.back();
    request.set_range_end(end);
    absl::StatusOr<RangeResponse> response = kv_.Range(request).Wait();
    EXPECT_THAT(response, IsOk());
    return response.value_or(RangeResponse());
  }
  int64_t Grant(int64_t ttl_s) {
    LeaseGrantRequest request;
    request.set_ttl(ttl_s);
    absl::StatusOr<LeaseGrantResponse> lease = lease_.LeaseGrant(request).Wait();
    EXPECT_THAT(lease, IsOk());
    return lease.ok() ? lease->id() : 0;
  }

  const Folder folder_;
  const Daemon etcd_{folder_.path(), kCommand, "serving client traffic"};
  Channel channel_{"unix:" + folder_.path() + "/clients:0", InsecureChannelCredentials(), Patient()};
  KVClient kv_{channel_};
  WatchClient watch_{channel_};
  LeaseClient lease_{channel_};
};

TEST_F(EtcdTest, WhatIsPutIsFoundWithItsHistory) {
  Put("fleet/a", "10.0.0.1");
  Put("fleet/b", "10.0.0.2");
  const PutResponse last = Put("fleet/a", "10.0.0.3");
  const RangeResponse fleet = Get("fleet/");
  ASSERT_EQ(fleet.kvs_size(), 2);
  EXPECT_EQ(fleet.kvs(0).value(), "10.0.0.3");
  EXPECT_EQ(fleet.kvs(0).version(), 2);
  EXPECT_EQ(fleet.kvs(0).mod_revision(), last.header().revision());
  EXPECT_EQ(fleet.kvs(1).key(), "fleet/b");
}

TEST_F(EtcdTest, ItsErrorsComeToTheLetter) {
  RangeRequest nothing;
  EXPECT_THAT(kv_.Range(nothing).Wait(),
              StatusIs(absl::StatusCode::kInvalidArgument, "etcdserver: key is not provided"));
  RangeRequest future;
  future.set_key("x");
  future.set_revision(1'000'000);
  EXPECT_THAT(kv_.Range(future).Wait(),
              StatusIs(absl::StatusCode::kOutOfRange, "etcdserver: mvcc: required revision is a future revision"));
}

TEST_F(EtcdTest, AWatchTellsWhatChangesUntilItIsGivenUp) {
  auto watch = watch_.Watch();
  WatchRequest create;
  create.mutable_create_request()->set_key("fleet/");
  create.mutable_create_request()->set_range_end("fleet0");
  ASSERT_TRUE(watch.Write(create).Wait());
  std::optional<WatchResponse> created = watch.Read().Wait();
  ASSERT_TRUE(created.has_value());
  EXPECT_TRUE(created->created());

  for (int i = 0; i < 100; ++i) Put("fleet/" + std::to_string(i), "up");
  int seen = 0;
  while (seen < 100) {
    std::optional<WatchResponse> changes = watch.Read().Wait();
    ASSERT_TRUE(changes.has_value()) << watch.Finish().Wait();
    for (const Event& event : changes->events()) {
      EXPECT_EQ(event.type(), Event::PUT);
      EXPECT_EQ(event.kv().key(), "fleet/" + std::to_string(seen++));
    }
  }

  WatchRequest cancel;
  cancel.mutable_cancel_request()->set_watch_id(created->watch_id());
  ASSERT_TRUE(watch.Write(cancel).Wait());
  std::optional<WatchResponse> canceled = watch.Read().Wait();
  ASSERT_TRUE(canceled.has_value());
  EXPECT_TRUE(canceled->canceled());
  watch.Cancel();  // the end of our half means nothing to etcd
  EXPECT_THAT(watch.Finish().Wait(), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(EtcdTest, AWatchThatIsDroppedDoesNotDisturbItsConnection) {
  for (int i = 0; i < 20; ++i) {
    auto watch = watch_.Watch();
    WatchRequest create;
    create.mutable_create_request()->set_key("x");
    ASSERT_TRUE(watch.Write(create).Wait());
    ASSERT_TRUE(watch.Read().Wait().has_value());
  }
  Put("x", "y");
  EXPECT_EQ(Get("x").kvs_size(), 1);
}

TEST_F(EtcdTest, ALeaseIsKeptAliveAndTakesItsKeysAlong) {
  const int64_t id = Grant(60);
  Put("member", "me", id);
  auto keep_alive = lease_.LeaseKeepAlive();
  LeaseKeepAliveRequest beat;
  beat.set_id(id);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(keep_alive.Write(beat).Wait());
    std::optional<LeaseKeepAliveResponse> kept = keep_alive.Read().Wait();
    ASSERT_TRUE(kept.has_value()) << keep_alive.Finish().Wait();
    EXPECT_EQ(kept->id(), id);
    EXPECT_EQ(kept->ttl(), 60);
  }
  keep_alive.WritesDone();
  EXPECT_THAT(keep_alive.Finish().Wait(), IsOk());

  EXPECT_EQ(Get("member").kvs(0).lease(), id);
  LeaseRevokeRequest revoke;
  revoke.set_id(id);
  EXPECT_THAT(lease_.LeaseRevoke(revoke).Wait(), IsOk());
  EXPECT_EQ(Get("member").kvs_size(), 0);
  EXPECT_THAT(lease_.LeaseRevoke(revoke).Wait(),
              StatusIs(absl::StatusCode::kNotFound, "etcdserver: requested lease not found"));
}

TEST_F(EtcdTest, AMessageOverItsLimitIsRefused) {
  PutRequest request;
  request.set_key("large");
  request.set_value(std::string(3 << 20, 'x'));
  EXPECT_THAT(kv_.Put(request).Wait(), StatusIs(absl::StatusCode::kResourceExhausted));
  Put("small", "x");
}

}  // namespace
}  // namespace weir
