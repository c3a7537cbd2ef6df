#include "weir/rpc/client/call_credentials/access_token.h"

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

class Token final : public CallCredentials {
 public:
  explicit Token(std::string_view token)
      : metadata_({{"authorization", absl::StrCat("Bearer ", std::string(token))}}) {}

  Task<absl::StatusOr<Metadata>> GetMetadata(const CredentialsRequest&) override { co_return metadata_; }

 private:
  const Metadata metadata_;
};

}  // namespace

std::shared_ptr<CallCredentials> AccessToken(std::string_view token) { return std::make_shared<Token>(token); }

}  // namespace weir
