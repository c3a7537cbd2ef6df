// ChannelCore: the part of a channel that lives on its loop: finds the server, keeps a connection, gives calls a place.
//
//            a call                    SETTINGS              GOAWAY, close
//   kIdle ------------> kConnecting --------------> kReady ----------------> kIdle
//     ^                      |
//     |  pause is over       | failed: calls that wait end with the reason
//     +---- kTransientFailure
//
// States are those of gRPC's connectivity-semantics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "weir/rpc/client/backoff.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/client_connection.h"
#include "weir/rpc/client/stream_request.h"
#include "weir/rpc/client/stream_source.h"
#include "weir/rpc/client/target.h"
#include "weir/rpc/core/why.h"
#include "weir/transport/io/dns.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/stream_security.h"
#include "weir/transport/io/tcp.h"

namespace weir {

class ClientCall;

class ChannelCore final : public std::enable_shared_from_this<ChannelCore>, private ClientConnectionOwner {
 public:
  // `target` not OK: every call ends with that status. `source` null: connects to the addresses of the target, which
  // `resolver` finds. `security` null: cleartext.
  ChannelCore(transport::EventLoop& loop, std::string text, absl::StatusOr<Target> target, ChannelOptions options,
              std::unique_ptr<StreamSource> source = nullptr,
              std::shared_ptr<transport::StreamSecurity> security = nullptr, transport::ResolverOptions resolver = {});
  ~ChannelCore();

  transport::EventLoop& loop() { return loop_; }
  const std::string& target() const { return text_; }
  const ChannelOptions& options() const { return options_; }  // constant: any thread

  // Opens a stream on a connection, now or when there is one; or says that there is none.
  void Place(std::shared_ptr<StreamRequest> request);
  // It waits no more.
  void Forget(const StreamRequest& request);
  // How far a request that has no stream is.
  Why::Phase WaitingPhase(const StreamRequest& request) const;
  // Ends every call, and begins to close every connection. Calls placed afterwards end at once.
  void Shutdown();
  // After Shutdown, in another turn of the loop: nothing of the channel is left on it.
  void DropConnections();

  // The interceptors of a call run on the loop. `done` is called when those of no call do, perhaps at once.
  void OnInterceptorsStarted() { ++calls_intercepted_; }
  void OnInterceptorsReturned();
  // An interceptor has answered the call, which waits for its reader: nothing but this list knows of it here.
  void OnReplied(ClientCall& call) { replied_.push_back(&call); }
  void ForgetReplied(ClientCall& call) { std::erase(replied_, &call); }
  void WhenNoInterceptorRuns(std::function<void()> done);

  // Uses a stream that somebody else has connected instead of connecting: a test's peer in memory.
  void Adopt(std::unique_ptr<transport::ByteStream> stream, uint32_t first_stream_id = 1);

  // What the channel holds now: requests that wait for a place, streams, and bytes that no socket took.
  size_t waiting_count() const { return waiting_.size(); }
  size_t stream_count() const;
  size_t ended_stream_count() const;
  size_t buffered_bytes() const;

 private:
  enum class State : uint8_t { kIdle, kConnecting, kReady, kTransientFailure, kShutdown };

  void Connect();
  void TryNextAddress();
  void OnAddresses(absl::StatusOr<transport::Resolver::Addresses> addresses);
  void OnConnected(absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream, uint32_t first_stream_id = 1);
  void OnAttemptTimeout();
  // `peer`: of the connection that failed; empty: there was none yet.
  void OnAttemptFailed(absl::Status reason, std::string_view peer = {});
  absl::Status CannotConnect() const;
  void ConnectAgain(const ClientConnection& last, const absl::Status& reason);
  // All of them, or those only that do not wait for the next attempt.
  enum class Patient : uint8_t { kFail, kWait };
  void FailWaiting(const absl::Status& why, Patient patient);
  void PlaceWaiting();
  void OnBackoffOver();

  // ClientConnectionOwner
  void OnReady(ClientConnection& connection) override;
  void OnDraining(ClientConnection& connection, const absl::Status& reason) override;
  void OnPlaceFree(ClientConnection& connection) override;
  void OnGone(ClientConnection& connection, const absl::Status& reason) override;

  transport::EventLoop& loop_;
  const std::string text_;
  const absl::StatusOr<Target> target_;
  const ChannelOptions options_;
  const std::string authority_;
  const std::string user_agent_;

  State state_ = State::kIdle;
  std::deque<std::shared_ptr<StreamRequest>> waiting_;
  absl::Status last_error_;  // of the last attempt to connect

  // connecting
  std::unique_ptr<StreamSource> source_;
  const std::shared_ptr<transport::StreamSecurity> security_;
  transport::Resolver resolver_;
  std::unique_ptr<transport::Resolver::Query> query_;
  transport::Resolver::Addresses addresses_;
  size_t next_address_ = 0;
  std::unique_ptr<transport::TcpConnector> connector_;
  transport::Timer attempt_timer_;
  Backoff backoff_;
  transport::Timer backoff_timer_;
  std::minstd_rand random_;

  std::unique_ptr<ClientConnection> current_;  // connecting or ready
  std::list<std::unique_ptr<ClientConnection>> draining_;
  uint64_t connections_made_ = 0;
  size_t calls_intercepted_ = 0;
  std::vector<ClientCall*> replied_;
  std::function<void()> when_no_interceptor_runs_;
  bool placing_ = false;
};

}  // namespace weir
