#include "weir/rpc/client/resolving/dns_resolver.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/resolving/resolvers.h"
#include "weir/rpc/client/target.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/tests/transport/io/dns_answers.h"

namespace weir {
namespace {

using std::chrono::seconds;
using testing::FakeLoop;

// A resolver of "greeter:50051" whose lookups succeed or fail at once, on their thread.
class DnsResolverTest : public ::testing::Test, private NameResolverListener {
 protected:
  void Start() {
    const NameResolverArgs args{.target = target_, .options = options_, .loop = loop_, .listener = *this};
    resolver_ = std::make_unique<DnsResolver>(
        args, transport::ResolverOptions{
                  .threads = 1,
                  .lookup = [lookups = lookups_, fails = fails_](
                                const std::string&, uint16_t port) -> absl::StatusOr<transport::Resolver::Addresses> {
                    ++*lookups;
                    if (*fails) return absl::UnavailableError("Name or service not known");
                    return transport::Resolver::Addresses{*transport::SocketAddress::FromHostAndPort("10.0.0.1", port)};
                  }});
    resolver_->Start();
    AwaitAnswer(1);
  }
  // The answer with this number; its lookup runs on a thread.
  void AwaitAnswer(int number) {
    while (results_ < number) {
      loop_.RunUntilIdle();
      std::this_thread::yield();
    }
  }
  void RequestReresolution() {
    resolver_->RequestReresolution();
    loop_.RunUntilIdle();
  }

  FakeLoop loop_;
  ChannelOptions options_;
  // As a channel to `text` would.
  void StartByTarget(const std::string& text) {
    target_ = *Target::Parse(text);
    const NameResolverArgs args{.target = target_, .options = options_, .loop = loop_, .listener = *this};
    resolver_ = MakeResolver(args, {});
    resolver_->Start();
    AwaitAnswer(1);
  }

  const std::shared_ptr<std::atomic<int>> lookups_ = std::make_shared<std::atomic<int>>(0);
  const std::shared_ptr<std::atomic<bool>> fails_ = std::make_shared<std::atomic<bool>>(false);
  int results_ = 0;
  std::optional<absl::StatusOr<Resolution>> last_;
  std::unique_ptr<NameResolver> resolver_;

 private:
  void OnResolution(absl::StatusOr<Resolution> resolution) override {
    ++results_;
    last_ = std::move(resolution);
  }

  Target target_ = *Target::Parse("greeter:50051");
};

TEST_F(DnsResolverTest, GivesTheAddressesOfTheName) {
  Start();
  ASSERT_TRUE(last_.has_value() && last_->ok());
  ASSERT_EQ((*last_)->addresses.size(), 1u);
  EXPECT_EQ((*last_)->addresses[0].address.ToString(), "10.0.0.1:50051");
  EXPECT_EQ(*(*last_)->service_config, nullptr);
}

TEST_F(DnsResolverTest, AsksTheDnsServerThatTheTargetNames) {
  testing::DnsAnswers dns("127.0.0.1");
  dns.Add("greeter.test", {.ipv4 = {"10.0.0.7"}});
  StartByTarget("dns://" + dns.address().ToString() + "/greeter.test:5");
  ASSERT_TRUE(last_->ok()) << last_->status();
  ASSERT_EQ((*last_)->addresses.size(), 1u);
  EXPECT_EQ((*last_)->addresses[0].address.ToString(), "10.0.0.7:5");
}

TEST_F(DnsResolverTest, AsksAgainNoSoonerThan30SecondsAfterAnAnswer) {
  Start();
  loop_.Advance(seconds(1));
  RequestReresolution();
  RequestReresolution();
  loop_.Advance(seconds(28));
  EXPECT_EQ(lookups_->load(), 1);
  loop_.Advance(seconds(1));
  AwaitAnswer(2);
  EXPECT_EQ(lookups_->load(), 2);
  EXPECT_EQ(results_, 2);
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(DnsResolverTest, AsksAgainAtOnceAfterAnError) {
  *fails_ = true;
  Start();
  EXPECT_FALSE(last_->ok());
  *fails_ = false;
  RequestReresolution();
  AwaitAnswer(2);
  EXPECT_TRUE(last_->ok());
}

TEST_F(DnsResolverTest, DoesNotAskByItselfUnlessToldTo) {
  Start();
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(DnsResolverTest, AsksPeriodicallyIfToldTo) {
  options_.dns_refresh = absl::Seconds(60);
  Start();
  for (int i = 2; i < 5; ++i) {
    loop_.Advance(seconds(59));
    EXPECT_EQ(results_, i - 1);
    loop_.Advance(seconds(1));
    AwaitAnswer(i);
    EXPECT_EQ(results_, i);
  }
}

}  // namespace
}  // namespace weir
