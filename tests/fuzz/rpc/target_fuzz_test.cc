// Any text is a target that says how to connect, or is refused with a reason.
#include "weir/rpc/client/target.h"
#include "weir/tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using weir::testing::Require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<weir::Target> target = weir::Target::Parse(text);
  static_cast<void>(weir::HostOf(text));
  if (!target.ok()) {
    Require(!target.status().message().empty(), "an error has a text");
    return 0;
  }
  Require(target->text == text, "the text is kept");
  const int ways =
      (target->host.empty() ? 0 : 1) + (target->addresses.empty() ? 0 : 1) + (target->path.empty() ? 0 : 1);
  Require(ways == 1, "a host, addresses or a path");
  return 0;
}
