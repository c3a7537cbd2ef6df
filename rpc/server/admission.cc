#include "weir/rpc/server/admission.h"

#include "weir/transport/h2/headers.h"

namespace weir {

std::optional<std::string_view> Arrival::Header(std::string_view name) const {
  return fields == nullptr ? std::nullopt : fields->Find(name);
}

Admission::Slot& Admission::SlotOf(const void* method) {
  size_t at = (reinterpret_cast<uintptr_t>(method) >> 4) % (slots_.size() - 1);
  for (size_t tries = 0; tries + 1 < slots_.size(); ++tries, at = (at + 1) % (slots_.size() - 1)) {
    const void* owner = slots_[at].method.load(std::memory_order_acquire);
    if (owner == method) return slots_[at];
    if (owner == nullptr && slots_[at].method.compare_exchange_strong(owner, method)) return slots_[at];
    if (owner == method) return slots_[at];  // another thread was faster
  }
  return slots_.back();
}

AdmissionDecision Admission::Arrive(const void* method, Arrival arrival) {
  Slot& slot = SlotOf(method);
  // Counted first: of two that come at once, the second sees the first.
  arrival.running = running_.fetch_add(1, std::memory_order_relaxed);
  arrival.running_of_method = slot.running.fetch_add(1, std::memory_order_relaxed);
  AdmissionDecision decision = Admit(arrival);
  if (decision.admitted()) {
    admitted_.fetch_add(1, std::memory_order_relaxed);
  } else {
    slot.running.fetch_sub(1, std::memory_order_relaxed);
    running_.fetch_sub(1, std::memory_order_relaxed);
    shed_.fetch_add(1, std::memory_order_relaxed);
  }
  return decision;
}

void Admission::Leave(const void* method, absl::Duration took) {
  SlotOf(method).running.fetch_sub(1, std::memory_order_relaxed);
  OnDone(took, running_.fetch_sub(1, std::memory_order_relaxed));
}

}  // namespace weir
