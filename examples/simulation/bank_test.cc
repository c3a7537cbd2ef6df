// Deposits while connections break, the bank's server is killed and its process stopped: is there as much money as was
// paid?
#include "weir/examples/simulation/bank.h"

#include <functional>
#include <string>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "weir/testing/simulation.h"

namespace bank {
namespace {

using weir::testing::ForEachSeed;
using weir::testing::Simulation;

// Ten deposits of 100, `deposit` says how, and then the account is read.
void TenDeposits(Simulation& simulation, const std::function<void(BankClient&, int)>& deposit) {
  auto& account = simulation.Make<Account>();
  BankClient client(simulation.Connect("client", simulation.Serve("bank", account)));

  simulation.BreakThings(absl::Seconds(1), 5);
  for (int i = 0; i < 10; ++i) {
    deposit(client, i);
    simulation.RunFor(absl::Milliseconds(50));
  }
  simulation.Heal();                    // already if all took long enough
  simulation.RunFor(absl::Minutes(3));  // the channel connects again

  const absl::StatusOr<Balance> balance = client.Read(ReadRequest()).Wait();
  ASSERT_TRUE(balance.ok()) << balance.status();
  EXPECT_EQ(balance->amount(), 1000);
}

TEST(BankTest, EveryDepositIsMadeOnce) {
  ForEachSeed({.count = 100}, [](Simulation& simulation) {
    TenDeposits(simulation, [](BankClient& client, int i) { DepositOnce(client, 100, std::to_string(i)); });
  });
}

// What a failure looks like: the text says which seed, which of its faults matter, and how to run it again.
TEST(BankTest, TheBugIsFound) {
  EXPECT_NONFATAL_FAILURE(ForEachSeed({.count = 100},
                                      [](Simulation& simulation) {
                                        TenDeposits(simulation,
                                                    [](BankClient& client, int) { DepositCarelessly(client, 100); });
                                      }),
                          "rerun:");
}

}  // namespace
}  // namespace bank
