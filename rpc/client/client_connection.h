// ClientConnection: one connection of a channel: its HTTP/2 state and its multiplexer.
//
//   kConnecting --server's SETTINGS--> kReady --GOAWAY or Drain--> kDraining --calls end--> closed
//        |                                |
//        +------- error ------------------+--------> closed
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/stream_request.h"
#include "weir/rpc/life/keepalive.h"
#include "weir/rpc/life/keepalive_time.h"
#include "weir/rpc/life/peer_counts.h"
#include "weir/rpc/life/settling.h"
#include "weir/rpc/mux/stream_multiplexer.h"
#include "weir/transport/h2/connection.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/connection_driver.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class ClientConnection;

class ClientConnectionOwner {
 public:
  virtual void OnReady(ClientConnection& connection) = 0;
  // No new calls here; those under way go on.
  virtual void OnDraining(ClientConnection& connection, const absl::Status& reason) = 0;
  // Perhaps a call that waits can start now.
  virtual void OnPlaceFree(ClientConnection& connection) = 0;
  // Closed, and every call of it has been told and has read what came before. It may be destroyed inside.
  virtual void OnGone(ClientConnection& connection, const absl::Status& reason) = 0;

 protected:
  ~ClientConnectionOwner() = default;
};

class ClientConnection final : private transport::EventSink, private mux::Host {
 public:
  // `options`, and `keepalive_time` and `counts`, which are of all connections of the channel, must outlive it.
  ClientConnection(transport::EventLoop& loop, const ChannelOptions& options, KeepaliveTime& keepalive_time,
                   PeerCounts& counts, ClientConnectionOwner& owner, std::unique_ptr<transport::ByteStream> stream,
                   std::string name, uint32_t first_stream_id = 1);
  ~ClientConnection();

  absl::Status Start() { return driver_.Start(); }
  // Told from now on in place of the one before; must outlive the connection.
  void set_owner(ClientConnectionOwner& owner) { owner_ = &owner; }

  bool ready() const { return ready_; }
  bool used() const { return used_; }  // a call has had a place here
  // The server would have taken calls, and has asked us in good order to go elsewhere.
  bool was_drained() const {
    return mux_.goaway() != nullptr && mux_.goaway()->error_code == transport::ErrorCode::kNoError &&
           connection_.PeerMaxConcurrentStreams() > 0;
  }
  bool CanOpen() const { return ready_ && mux_.CanOpen(); }

  // Opens a stream for `request`, or tells it why there is none.
  void Open(StreamRequest& request, std::string_view authority, std::string_view user_agent);

  // Finishes what is under way, then closes.
  void Drain();
  // Ends its calls with `why` now, and closes.
  void Close(const absl::Status& why);

  const std::string& peer() const { return peer_; }
  size_t stream_count() const { return connection_.ActiveStreamCount(); }
  size_t ended_stream_count() const { return mux_.ended_count(); }
  size_t buffered_bytes() const { return driver_.buffered_bytes(); }
  // What waits here of responses (rpc/mux/memory_account.h).
  size_t held_bytes() const { return mux_.memory().bytes(); }
  bool is_timed() const { return life_timer_.IsSet(); }
  // In the middle of something of the connection there was no memory: it is lost, and its owner told in this turn.
  void OnNoMemory() noexcept;

  // Of DrainingConnections: which must find a place for it without memory.
  std::unique_ptr<ClientConnection> next_draining;

 private:
  void OnEvents(std::span<transport::H2Event> events) override;
  void OnClosed(const absl::Status& reason) override;
  void RequestFlush() override { driver_.RequestFlush(); }
  void OnDraining(const absl::Status& reason) override;
  void RequestTurn() override { sweep_timer_.Set(loop_.Now()); }
  void OnPlaceFree() override;
  void OnMemory() noexcept override;
  void WatchMemory();
  void OnSettling(std::span<transport::H2Event> events);
  void OnTime();
  void SetLifeTimer();
  void WakeKeepalive();
  void GiveUp(const absl::Status& why);
  void Sweep();

  transport::EventLoop& loop_;
  ClientConnectionOwner* owner_;
  const std::string_view accept_encoding_;  // empty: nothing is offered
  const std::string peer_;
  const std::string_view scheme_;
  const ConnectionSecurity security_;
  const ClientConnectionOptions& options_;
  transport::H2Connection connection_;
  mux::StreamMultiplexer mux_;
  transport::ConnectionDriver driver_;
  transport::Timer sweep_timer_;  // what waits until no method of a call or of ours can be running, and for a turn
  Settling settling_;
  transport::MonotonicTime ack_due_ = transport::MonotonicTime::max();
  KeepaliveTime& keepalive_time_;
  PeerCounts& counts_;
  const KeepaliveOptions keepalive_options_;
  Keepalive keepalive_;
  transport::Timer life_timer_;  // for the two of them
  absl::Status close_reason_;
  bool ready_ = false;
  bool used_ = false;
  bool in_events_ = false;
  bool memory_changed_ = false;
  bool closed_ = false;
};

}  // namespace weir
