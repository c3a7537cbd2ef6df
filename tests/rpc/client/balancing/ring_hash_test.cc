// ring_hash: gRFC A42, and A76 for the request's header.
#include <chrono>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/rpc/client/balancing/hash.h"
#include "weir/rpc/client/balancing/hash_ring.h"
#include "weir/tests/support/fleet.h"

namespace weir {
namespace {

using std::chrono::seconds;
using testing::Fleet;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kOne[] = "10.0.0.1:1";
constexpr char kTwo[] = "10.0.0.2:1";
constexpr char kThree[] = "10.0.0.3:1";

ChannelOptions RingHash() {
  ChannelOptions options;
  options.load_balancing = {
      .policy = "ring_hash_experimental",
      .config = JsonValue(JsonValue::Object{{"requestHashHeader", JsonValue(std::string("tenant"))}})};
  return options;
}

CallOptions Of(std::string_view tenant) { return CallOptions().Metadata("tenant", tenant); }

std::string ServerOf(Fleet& fleet, std::string_view tenant) {
  fleet.TakeLog();
  fleet.Call(Of(tenant));
  const std::map<std::string, int> shares = fleet.TakeShares();
  return shares.size() == 1 ? shares.begin()->first : "";
}

ServerAddress Server(int number, uint32_t weight = 1) {
  const std::string text = absl::StrCat("10.0.0.", number, ":1");
  return ServerAddress{.address = *transport::SocketAddress::Parse(text), .weight = weight, .attributes = {}};
}

TEST(RingHash, CallsWithOneKeyGoToOneServerAndConnectToNoOther) {
  Fleet fleet(RingHash());
  fleet.Resolve({kOne, kTwo, kThree});
  for (int i = 0; i < 20; ++i) fleet.Call(Of("blue"));
  EXPECT_EQ(fleet.core().stream_count(), 0u);
  EXPECT_THAT(fleet.TakeShares(), SizeIs(1));
}

TEST(RingHash, KeysAreSpreadOverAllServers) {
  Fleet fleet(RingHash());
  fleet.Resolve({kOne, kTwo, kThree});
  for (int i = 0; i < 300; ++i) fleet.Call(Of(absl::StrCat("tenant ", i)));
  for (const auto& [address, calls] : fleet.TakeShares()) EXPECT_GT(calls, 60) << address;
}

TEST(RingHash, ServerThatFailsHandsItsKeysToOthersAndGetsThemBack) {
  Fleet fleet(RingHash());
  fleet.Resolve({kOne, kTwo, kThree});
  const std::string first = ServerOf(fleet, "blue");
  ASSERT_NE(first, "");
  fleet.server(first) = Fleet::kRefuses;
  fleet.Close(first);
  const std::string second = ServerOf(fleet, "blue");
  EXPECT_NE(second, "");
  EXPECT_NE(second, first);
  fleet.server(first) = Fleet::kAnswers;
  fleet.Advance(seconds(2));
  ServerOf(fleet, "blue");  // asks for the connection
  EXPECT_EQ(ServerOf(fleet, "blue"), first);
}

TEST(RingHash, CallsWithoutTheHeaderGoToAServerThatIsReady) {
  Fleet fleet(RingHash());
  fleet.Resolve({kOne, kTwo, kThree});
  const std::string ready = ServerOf(fleet, "blue");
  fleet.TakeLog();
  fleet.Calls(10);
  EXPECT_THAT(fleet.TakeShares(), ::testing::ElementsAre(::testing::Pair(ready, 10)));
}

TEST(RingHash, CallsFailWhenEveryServerHasFailed) {
  Fleet fleet(RingHash());
  for (const char* address : {kOne, kTwo, kThree}) fleet.server(address) = Fleet::kRefuses;
  fleet.Resolve({kOne, kTwo, kThree});
  fleet.Call(Of("blue"));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kTransientFailure);
  EXPECT_THAT(fleet.TakeLog().back(), HasSubstr("UNAVAILABLE: cannot connect"));
  for (const char* address : {kOne, kTwo, kThree}) fleet.server(address) = Fleet::kAnswers;
  fleet.Advance(seconds(2));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady) << "without a call";
}

TEST(RingHash, RingSizesOutOfOrderAreNamed) {
  ChannelOptions options = RingHash();
  options.load_balancing.config =
      JsonValue(JsonValue::Object{{"maxRingSize", JsonValue(1.0)}, {"minRingSize", JsonValue(2.0)}});
  Fleet fleet(options);
  fleet.Resolve({kOne});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog().back(), HasSubstr("ring_hash_experimental: minRingSize: expected at most maxRingSize"));
}

TEST(HashRing, PlacesAreInProportionToTheWeightsAndWithinTheLimits) {
  EXPECT_EQ(HashRing({Server(1), Server(2), Server(3)}, 1024, 4096).places(), 1026u);  // 342 each
  EXPECT_EQ(HashRing({Server(1, 1), Server(2, 100'000)}, 1024, 4096).places(), 4096u);
  EXPECT_EQ(HashRing({Server(1)}, 1, 4096).places(), 1u);
}

TEST(HashRing, ServerThatComesTakesItsShareOfTheKeysAndMovesNoOther) {
  // 256 places each. With the same least size for both, the old ones would give up some of theirs.
  const HashRing before({Server(1), Server(2), Server(3)}, 768, 4096);
  const HashRing after({Server(1), Server(2), Server(3), Server(4)}, 1024, 4096);
  int moved = 0;
  int moved_elsewhere = 0;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t hash = StableHash(absl::StrCat("key ", i));
    if (before.First(hash) == after.First(hash)) continue;
    ++moved;
    moved_elsewhere += after.First(hash) == 3 ? 0 : 1;
  }
  EXPECT_GT(moved, 1500);
  EXPECT_LT(moved, 3500);
  EXPECT_EQ(moved_elsewhere, 0);
}

TEST(HashRing, OrderNamesEveryServerOnce) {
  const HashRing ring({Server(1), Server(2), Server(3)}, 1024, 4096);
  for (uint64_t hash : {uint64_t{0}, uint64_t{1} << 63, UINT64_MAX}) {
    EXPECT_THAT(ring.Order(hash), ::testing::UnorderedElementsAre(0, 1, 2));
    EXPECT_EQ(ring.Order(hash).front(), ring.First(hash));
  }
}

TEST(StableHash, IsTheSameForEver) {
  EXPECT_EQ(StableHash(""), StableHash(std::string()));
  EXPECT_NE(StableHash("a"), StableHash("b"));
  EXPECT_NE(StableHash("10.0.0.1:1_1"), StableHash("10.0.0.1:1_2"));
}

}  // namespace
}  // namespace weir
