#include "weir/rpc/core/gathering.h"

namespace weir::internal {

Task<void> Gathering::Run(std::span<BranchBase* const> branches, CancelScope* scope) {
  for (size_t i = 0; i < branches.size(); ++i) {
    if (is_decided()) {
      OnEnd(i);  // it need not begin
    } else {
      branches[i]->Start(*this, i);
    }
  }
  if (!branches.empty()) co_await decided_;
  if (winner_ != kNobody) {
    if (scope != nullptr) scope->Cancel();
    for (size_t i = 0; i < branches.size(); ++i) {
      if (i == winner_) continue;
      Task<void> cancelling = branches[i]->Cancel();
      if (cancelling.valid()) co_await std::move(cancelling);
    }
  }
  co_await all_;
  if (until_ != Until::kFirst || winner_ == kNobody) co_return;
  for (size_t i = 0; i < branches.size(); ++i) {
    if (i == winner_) continue;
    Task<void> returning = branches[i]->GiveBack();
    if (returning.valid()) co_await std::move(returning);
  }
}

}  // namespace weir::internal
