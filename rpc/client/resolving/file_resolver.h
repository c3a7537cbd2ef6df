// FileResolver: file:/path: the addresses of a fleet, one on each line, for those who have no DNS.
//
//   # greeters
//   10.0.0.7:50051
//   [2001:db8::7]:50051   weight=3
//   unix:/run/greeter.sock
//
// The file is looked at every ChannelOptions::file_poll; write a new one beside it and rename it, so that no half of it
// is read. A line that is no address is left out, and named on standard error when the file changes. A file without any
// address, or that cannot be read, is an error: the addresses known before stay in use.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/rpc/client/name_resolver.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

struct AddressFile {
  std::vector<ServerAddress> addresses;
  std::vector<std::string> mistakes;  // "line 3: expected ..., got ..."
};

AddressFile ParseAddressFile(std::string_view text);

class FileResolver final : public NameResolver {
 public:
  explicit FileResolver(const NameResolverArgs& args);

  void Start() override { poll_.Set(args_.loop.Now()); }
  void RequestReresolution() override;

 private:
  void Poll();
  absl::StatusOr<Resolution> Read(const std::string& text) const;

  const NameResolverArgs args_;
  std::optional<std::string> last_;  // what was read; not its time, which is too coarse for two changes in a row
  bool report_ = true;               // also what has not changed
  bool failed_ = false;
  transport::Timer poll_;
};

}  // namespace weir
