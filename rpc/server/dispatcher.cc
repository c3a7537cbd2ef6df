#include "weir/rpc/server/dispatcher.h"

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

absl::string_view Key(std::string_view path) { return absl::string_view(path.data(), path.size()); }

}  // namespace

absl::Status Dispatcher::Add(Service& service) {
  for (const ServerMethod& method : service.methods()) {
    if (!targets_.try_emplace(Key(method.spec.path), Target{&service, &method}).second) {
      return absl::AlreadyExistsError(
          absl::StrCat("method ", Key(method.spec.path), " is served by another service already: add each once"));
    }
  }
  if (const ServerMethod* any = service.any_method(); any != nullptr) {
    if (any_.service != nullptr) {
      return absl::AlreadyExistsError("a service for any method was added twice: expected one GenericService");
    }
    any_ = Target{&service, any};
  }
  return absl::OkStatus();
}

Dispatcher::Target Dispatcher::Find(std::string_view path) const {
  auto it = targets_.find(Key(path));
  return it == targets_.end() ? any_ : it->second;
}

}  // namespace weir
