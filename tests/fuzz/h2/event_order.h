// EventOrder: what must hold of the events of a connection, whatever a peer sends: one head and one ending for each
// stream, nothing for a stream that was let go, nothing after a connection error.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "weir/tests/fuzz/input.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/h2/limit.h"

namespace weir::transport {

class EventOrder {
 public:
  // A client has opened a stream.
  void Open(StreamId id) { streams_[id]; }
  // Has the application heard of this stream, and not let go of it?
  bool Knows(StreamId id) const {
    const auto stream = streams_.find(id);
    return stream != streams_.end() && !stream->second.silent;
  }
  // The application has let go of a stream.
  void Silence(StreamId id) {
    const auto stream = streams_.find(id);
    if (stream != streams_.end()) stream->second.silent = true;
  }

  void Take(const std::vector<H2Event>& events) {
    for (const H2Event& event : events) {
      testing::Require(!failed_, "nothing after a connection error");
      (void)ToString(event);
      std::visit([this](const auto& e) { See(e); }, event);
    }
  }

 private:
  struct Stream {
    bool ended = false;
    bool silent = false;
  };

  void Head(StreamId id, bool end_stream) {
    testing::Require(streams_.count(id) == 0, "one head for each stream");
    streams_[id].ended = end_stream;
  }
  void Tell(StreamId id, bool end_stream) {
    testing::Require(streams_.count(id) != 0, "a head comes first");
    testing::Require(!streams_[id].silent, "no event for a stream that was let go");
    testing::Require(!streams_[id].ended, "nothing but a reset after the ending");
    streams_[id].ended = end_stream;
  }

  void See(const H2RequestReceived& e) {
    testing::Require(!e.request.method().empty(), "a request has a method");
    testing::Require(e.request.method() == "CONNECT" || !e.request.target().empty(), "and a target, or is a tunnel");
    Head(e.stream_id, e.end_stream);
  }
  void See(const H2RequestTooLarge& e) { Head(e.stream_id, e.end_stream); }
  void See(const H2WebSocketRequest& e) {
    testing::Require(!e.request.protocol().empty() && !e.ws_path().empty(), "a tunnel has a protocol and a path");
    Head(e.stream_id, false);
  }
  void See(const H2ResponseReceived& e) {
    testing::Require(!e.interim() || !e.end_stream, "an interim response is not the last word");
    Tell(e.stream_id, e.end_stream);
  }
  void See(const H2BodyReceived& e) {
    testing::Require(e.body.flow_controlled_bytes == e.body.data.size(), "the caller owes the bytes it got");
    Tell(e.stream_id, !e.body.more);
  }
  void See(const H2TrailersReceived& e) { Tell(e.stream_id, true); }
  void See(const H2StreamReset& e) {
    testing::Require(streams_.count(e.stream_id) != 0 && !streams_[e.stream_id].silent,
                     "a reset of a stream that is known");
    streams_[e.stream_id].silent = true;
  }
  void See(const H2ConnectionError& e) {
    const bool names = !e.limit.has_value() || e.reason.find(ToString(*e.limit)) != std::string::npos;
    testing::Require(names, "a limit is called as the option that sets it");
    failed_ = true;
  }
  void See(const auto&) {}

  std::map<StreamId, Stream> streams_;
  bool failed_ = false;
};

}  // namespace weir::transport
