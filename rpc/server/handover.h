// Handover: a server's listening sockets go to the process that takes its place, and no client is refused meanwhile.
//
//   predecessor                              successor
//   HandoverOffer listens on a Unix socket   TakeSockets connects
//          ---- the listening sockets (SCM_RIGHTS) ---->
//                                            serves them: both accept for a moment
//          <---- one byte: taken ----
//   closes its own, and the offer
//          ---- end ---->                    may offer at the same path now
//
// A socket in two processes has one queue of connections: nothing is lost when one of them closes it.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/tcp.h"

namespace weir {

// The predecessor's side; on a loop. Only processes of the same user, or root's, are served, one at a time.
class HandoverOffer final : private transport::DescriptorHandler {
 public:
  // `sockets` says what to hand over when somebody comes. `on_taken` is called once, when they are served elsewhere; it
  // may destroy the offer, and the successor goes on when that has happened.
  HandoverOffer(transport::EventLoop& loop, std::function<std::vector<int>()> sockets, std::function<void()> on_taken);
  ~HandoverOffer();

  // `path` of a Unix socket, whose file goes with the offer. The errors of TcpListener::Listen.
  absl::Status Listen(std::string_view path);

 private:
  void OnSuccessor(int fd);
  void OnReadable() override;
  void OnWritable() override {}
  void Forget();

  transport::EventLoop& loop_;
  const std::function<std::vector<int>()> sockets_;
  const std::function<void()> on_taken_;
  transport::TcpListener listener_;
  int successor_ = -1;
};

// The successor's side. Blocks, 10 seconds at most.
class Takeover {
 public:
  // UNAVAILABLE if nobody offers sockets at `path`.
  static absl::StatusOr<Takeover> From(std::string_view path);
  Takeover(Takeover&& other) noexcept;
  Takeover& operator=(Takeover&&) = delete;
  ~Takeover();  // closes what nobody has taken out of sockets()

  // The owner takes a socket by setting it to -1.
  std::vector<int>& sockets() { return sockets_; }

  // They are served: waits until the predecessor has let go of them.
  absl::Status Complete();

 private:
  Takeover(int connection, std::vector<int> sockets) : connection_(connection), sockets_(std::move(sockets)) {}

  int connection_;
  std::vector<int> sockets_;
};

}  // namespace weir
