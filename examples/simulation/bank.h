// A bank with one account, and two ways to put money there: one of them is wrong.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "examples/simulation/bank.weir.pb.h"

namespace bank {

class Account final : public BankService {
 public:
  weir::Task<absl::StatusOr<Balance>> Deposit(weir::ServerContext&, const DepositRequest& request) override;
  weir::Task<absl::StatusOr<Balance>> Read(weir::ServerContext&, const ReadRequest&) override;

 private:
  Balance balance_;
  std::set<std::string> seen_;
};

// Tries until the bank has confirmed.
void DepositCarelessly(BankClient& client, int64_t amount);
void DepositOnce(BankClient& client, int64_t amount, const std::string& key);

}  // namespace bank
