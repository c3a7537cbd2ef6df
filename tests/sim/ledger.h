// Ledger: what each call of a simulation did, as both sides saw it, and what must hold of that at the end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
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

  // ---- what happened
  bool started = false;
  absl::Duration started_at;
  absl::Duration ended_at;
  int ends = 0;
  absl::Status status;
  bool dropped = false;
  bool cancelled = false;  // by the caller
  bool disturbed = false;  // its process was stopped, or had late timers
  uint32_t replies = 0;
  uint32_t requests_seen = 0;  // by the handler, of one attempt at most
  int handlers_begun = 0;
  int handlers_running = 0;
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
  // By the client's retry policy.
  int attempts_max = 1;
};

// Message `number` of a call, and the number of such a message; fails the test if it is none, or of another call.
bench::Payload MessageOf(const CallRecord& record, uint32_t number);
void ExpectMessage(const CallRecord& record, uint32_t number, std::string_view body);

class Ledger {
 public:
  CallRecord& Add() {
    calls_.emplace_back().id = static_cast<int>(calls_.size());
    return calls_.back();
  }
  CallRecord* Find(std::string_view id);
  std::list<CallRecord>& calls() { return calls_; }
  bool AllOver() const;
  int handlers_running() const;
  // A handler has begun: how many run at a time.
  void NoteHandler() { handlers_running_most_ = std::max(handlers_running_most_, handlers_running()); }
  int handlers_running_most() const { return handlers_running_most_; }

  // After the end: what must hold of every call.
  void Check(const Circumstances& circumstances) const;

 private:
  int handlers_running_most_ = 0;
  std::list<CallRecord> calls_;
};

}  // namespace weir::testing
