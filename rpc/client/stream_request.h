// StreamRequest: whoever wants a stream of the channel for one attempt at a call: what the choice of a connection and
// the head of the request depend on, and what becomes of it.
//
//   ChannelCore::Place --> waits --> OnStream        the head is sent, and the stream bound to observer()
//                            |-----> OnNoStream      there will be none; nothing was sent
//                            +--Forget               neither comes any more
//
// On the channel's loop.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "weir/rpc/client/call_credentials/connection_security.h"
#include "weir/rpc/client/call_watcher.h"
#include "weir/rpc/core/message_stream.h"
#include "weir/rpc/wire/protocol.h"

namespace weir {

class StreamRequest {
 public:
  // A connection that has been picked for it.
  struct Place {
    std::string_view authority;  // of the call there
    std::string_view peer;
    ConnectionSecurity security;
  };

  // Its head depends on the place: MayOpen is to be asked before it is described.
  bool depends_on_place() const { return depends_on_place_; }
  // False: not now. It has taken note of the place, is nobody's any more, and will ask for another one, unless it has
  // ended.
  virtual bool MayOpen(const Place&) { return true; }

  // Sets what the call knows of its head: path, timeout (what is left of it now), encoding, metadata. The views live
  // until OnStream or OnNoStream.
  virtual void DescribeTo(wire::RequestHead* head) const = 0;

  // A connection that cannot be made is no reason to end: it waits for the next one (gRPC wait-for-ready).
  virtual bool wait_for_ready() const = 0;

  // True: the call has had a stream before, or has one. Where `WasAt` another address is better for it.
  virtual bool is_repeated() const { return false; }
  virtual bool WasAt(std::string_view) const { return false; }
  // A policy has placed it, and wants to hear of its end; in place of one that has placed it before.
  virtual void OnPicked(std::unique_ptr<CallWatcher>) {}

  // Told of what comes on the stream.
  virtual StreamObserver& observer() = 0;

  virtual void OnStream(MessageStream& stream) = 0;
  // Ends the call, unless there is to be another attempt. `why` says who was the cause (Why), and is unprocessed.
  virtual void OnNoStream(const absl::Status& why) = 0;

 protected:
  ~StreamRequest() = default;

  bool depends_on_place_ = false;
};

}  // namespace weir
