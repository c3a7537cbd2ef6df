// Authorization: what the credentials of a call say, for one attempt at it.
//
//   (made) --Start--> asks one after the other --> on_done(their metadata, or the first failure)
//                            |
//                            +--Abandon--> nothing comes any more
//
// On the loop of the call.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/call_credentials/call_credentials.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/task.h"
#include "weir/transport/io/executor.h"

namespace weir {

class Authorization final : private TaskRoot {
 public:
  using OnDone = std::function<void(absl::StatusOr<Metadata>)>;

  // OK if metadata of credentials may be sent on a connection like this; UNAUTHENTICATED if everybody could read it.
  static absl::Status MaySend(ConnectionSecurity security, std::string_view peer);

  Authorization(std::shared_ptr<const CallCredentialsList> credentials, CredentialsRequest request)
      : credentials_(std::move(credentials)), request_(std::move(request)) {}
  ~Authorization() = default;
  Authorization(const Authorization&) = delete;
  Authorization& operator=(const Authorization&) = delete;

  // `on_done` comes once, perhaps inside of this, and may destroy the Authorization. What failed is never processed.
  void Start(OnDone on_done);

  // Destroys it, where no coroutine of it can be running: in another turn of `loop`. Null: does nothing.
  static void Abandon(std::unique_ptr<Authorization> authorization, transport::Executor& loop);

 private:
  static Task<absl::StatusOr<Metadata>> AskAll(const CallCredentialsList& credentials,
                                               const CredentialsRequest& request);
  void OnTaskDone() noexcept override;

  const std::shared_ptr<const CallCredentialsList> credentials_;
  const CredentialsRequest request_;
  OnDone on_done_;  // null: abandoned
  Task<absl::StatusOr<Metadata>> task_;
};

}  // namespace weir
