#include "weir/examples/simulation/bank.h"

namespace bank {
namespace {

void DepositUntilConfirmed(BankClient& client, const DepositRequest& request) {
  const weir::CallOptions options = weir::CallOptions().Timeout(absl::Seconds(1)).WaitForReady();
  while (!client.Deposit(request, options).Wait().ok()) {
  }
}

}  // namespace

weir::Task<absl::StatusOr<Balance>> Account::Deposit(weir::ServerContext& context, const DepositRequest& request) {
  co_await context.Sleep(absl::Milliseconds(5));  // a disk
  const bool again = !request.key().empty() && !seen_.insert(request.key()).second;
  if (!again) balance_.set_amount(balance_.amount() + request.amount());
  co_return balance_;
}

weir::Task<absl::StatusOr<Balance>> Account::Read(weir::ServerContext&, const ReadRequest&) { co_return balance_; }

// The bug: a call that fails may have been executed all the same.
void DepositCarelessly(BankClient& client, int64_t amount) {
  DepositRequest request;
  request.set_amount(amount);
  DepositUntilConfirmed(client, request);
}

void DepositOnce(BankClient& client, int64_t amount, const std::string& key) {
  DepositRequest request;
  request.set_amount(amount);
  request.set_key(key);
  DepositUntilConfirmed(client, request);
}

}  // namespace bank
