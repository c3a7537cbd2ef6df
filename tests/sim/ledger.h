// Ledger: what each call of a simulation did, as both sides saw it; what must hold of that at any time, and at the end.
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/benchmark/bench.pb.h"

namespace weir::testing {

enum class CallKind { kUnary, kClientStream, kServerStream, kBidi };

struct CallRecord {
  // ---- the plan
  int id = 0;
  CallKind kind = CallKind::kUnary;
  uint32_t messages = 1;  // in each direction that streams
  uint32_t message_bytes = 0;
  absl::Duration timeout = absl::InfiniteDuration();
  uint32_t read_until = UINT32_MAX;  // the caller drops the call after so many messages
  absl::Duration handler_sleeps;     // before its first message
  absl::Duration reader_pauses;      // the caller, after each of the first replies that it reads

  // ---- what happened
  bool started = false;
  absl::Duration started_at;
  absl::Duration ended_at;
  int ends = 0;
  absl::Status status;
  bool dropped = false;
  bool cancelled = false;  // by the caller
  bool pausing = false;    // so that it does not see the call's end
  absl::Duration paused_until;
  bool disturbed = false;  // its process was stopped, or had late timers
  uint32_t requests_sent = 0;
  uint32_t requests_seen = 0;  // by the handler, of one attempt at most
  uint32_t replies_sent = 0;   // the same
  uint32_t replies = 0;
  int handlers_begun = 0;
  int handlers_running = 0;
  std::string broken;            // the first thing that was seen to be wrong
  std::function<void()> cancel;  // while the call exists; on its loop

  bool over() const { return !started || ends > 0; }
};

// What has happened to all of them.
struct Circumstances {
  // Servers went away without waiting for their calls: one whose answer had begun ends with what the server's
  // RST_STREAM says.
  bool servers_went_away = false;
  // No server has failed: they became slow and were drained, or one went away. No call ends with UNAVAILABLE but those
  // that were under way in a server that went away. One that it has not looked at goes elsewhere by itself (transparent
  // retry, gRFC A6), if its request is one message.
  bool servers_were_there = false;
  // RST_STREAM came that nobody had sent. (HandlerLimits: one that says REFUSED_STREAM has a call repeated.)
  bool streams_were_reset = false;
  // Connections have small ceilings (ServerOptions::memory_hard_bytes and the like).
  bool memory_is_short = false;
};

// What bounds handlers.
struct HandlerLimits {
  int attempts_max = 1;  // of a call, by the client's retry policy
  int running_max = INT_MAX;
  int running_on_connection_max = INT_MAX;
};

// Message `number` of a call. Of a message that has come: if it is another, that is what is broken.
bench::Payload MessageOf(const CallRecord& record, uint32_t number);
void ExpectMessage(CallRecord& record, uint32_t number, std::string_view body);

class Ledger {
 public:
  void set_limits(const HandlerLimits& limits) { limits_ = limits; }
  CallRecord& Add() {
    calls_.emplace_back().id = static_cast<int>(calls_.size());
    return calls_.back();
  }
  CallRecord* Find(std::string_view id);
  std::list<CallRecord>& calls() { return calls_; }
  bool AllOver() const;
  int handlers_running() const { return handlers_running_; }
  // A handler of a call has begun or ended, on a connection of that name. Either may break a limit for a moment only.
  void CountHandler(CallRecord& record, const std::string& connection, int change);

  // At any time: what does not hold, or nothing. `is_disturbed` is asked of a call that should have ended by now.
  // `resets`: RST_STREAM that came from nobody; any may have said REFUSED_STREAM.
  std::string WhatIsBroken(absl::Duration now, int resets,
                           const std::function<bool(const CallRecord&)>& is_disturbed) const;
  // After the end: what must hold of every call.
  void Check(const Circumstances& circumstances) const;

 private:
  std::list<CallRecord> calls_;
  HandlerLimits limits_;
  int handlers_running_ = 0;
  std::map<std::string, int> handlers_running_on_;  // by connection
  std::string broken_;                              // of handlers
};

}  // namespace weir::testing
