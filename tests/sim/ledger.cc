#include "weir/tests/sim/ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace weir::testing {
namespace {

constexpr absl::Duration kDeadlineSlack = absl::Milliseconds(10);

bool RequestsStream(const CallRecord& record) {
  return record.kind == CallKind::kClientStream || record.kind == CallKind::kBidi;
}

bool MayEndAs(const CallRecord& record, absl::StatusCode code, const Circumstances& circumstances) {
  switch (code) {
    case absl::StatusCode::kOk:
      return true;
    case absl::StatusCode::kUnavailable:
      return !circumstances.servers_were_there ||
             (circumstances.servers_went_away && (record.handlers_begun > 0 || RequestsStream(record)));
    case absl::StatusCode::kDeadlineExceeded:
      return record.ended_at - record.started_at >= record.timeout;
    case absl::StatusCode::kCancelled:
      return record.cancelled || circumstances.servers_went_away || circumstances.streams_were_reset;
    case absl::StatusCode::kInternal:
      return circumstances.streams_were_reset;
    case absl::StatusCode::kResourceExhausted:
      return circumstances.streams_were_reset || circumstances.memory_is_short;
    default:
      return false;
  }
}

void CheckCall(const CallRecord& record, const Circumstances& circumstances) {
  SCOPED_TRACE(absl::StrCat("call ", record.id, ", kind ", static_cast<int>(record.kind), ", timeout ",
                            absl::FormatDuration(record.timeout), ", started at ",
                            absl::FormatDuration(record.started_at), ", ended at ",
                            absl::FormatDuration(record.ended_at), ", status ", record.status.ToString()));
  EXPECT_EQ(record.ends, 1) << "a call ends exactly once";
  EXPECT_EQ(record.handlers_running, 0) << "a handler runs for ever";
  if (record.dropped) return;
  EXPECT_TRUE(MayEndAs(record, record.status.code(), circumstances)) << "nothing here causes such an end";
  if (!record.status.ok()) return;
  const bool replies_stream = record.kind == CallKind::kServerStream || record.kind == CallKind::kBidi;
  EXPECT_GE(record.handlers_begun, 1) << "OK, and no handler ran";
  EXPECT_EQ(record.requests_seen, RequestsStream(record) ? record.messages : 1) << "OK, and requests are missing";
  EXPECT_EQ(record.replies, replies_stream ? record.messages : 1) << "OK, and replies are missing";
}

}  // namespace

bench::Payload MessageOf(const CallRecord& record, uint32_t number) {
  bench::Payload payload;
  std::string body = absl::StrCat(record.id, ":", number, ":");
  body.append(record.message_bytes, static_cast<char>('a' + number % 26));
  payload.set_body(std::move(body));
  return payload;
}

void ExpectMessage(CallRecord& record, uint32_t number, std::string_view body) {
  const std::string expected = MessageOf(record, number).body();
  if (body == expected || !record.broken.empty()) return;
  record.broken = absl::StrCat("expected message ", number, " of ", expected.size(), " bytes, got ", body.size(),
                               " bytes: ", std::string(body.substr(0, 20)));
}

CallRecord* Ledger::Find(std::string_view id) {
  for (CallRecord& record : calls_) {
    if (std::to_string(record.id) == id) return &record;
  }
  return nullptr;
}

bool Ledger::AllOver() const {
  return std::all_of(calls_.begin(), calls_.end(), [](const CallRecord& record) { return record.over(); });
}

void Ledger::CountHandler(CallRecord& record, const std::string& connection, int change) {
  const int on_connection = handlers_running_on_[connection] += change;  // first: there may be no memory for it
  record.handlers_running += change;
  handlers_running_ += change;
  if (change < 0) return;
  ++record.handlers_begun;
  if (!broken_.empty()) return;
  if (handlers_running_ > limits_.running_max) {
    broken_ = absl::StrCat(handlers_running_, " handlers run, and there are ", limits_.running_max, " slots");
  } else if (on_connection > limits_.running_on_connection_max) {
    broken_ = absl::StrCat(on_connection, " handlers of connection ", connection, " run, and it has ",
                           limits_.running_on_connection_max, " slots");
  }
}

std::string Ledger::WhatIsBroken(absl::Duration now, int resets,
                                 const std::function<bool(const CallRecord&)>& is_disturbed) const {
  if (!broken_.empty()) return broken_;
  for (const CallRecord& record : calls_) {
    std::string what = record.broken;
    if (record.ends > 1) what = absl::StrCat("has ended ", record.ends, " times");
    if (record.handlers_begun > limits_.attempts_max + resets) {
      what =
          absl::StrCat(record.handlers_begun, " handlers have run, for ", limits_.attempts_max + resets, " attempt(s)");
    }
    if (record.requests_seen > record.requests_sent) {
      what = absl::StrCat("the handler has ", record.requests_seen, " requests of ", record.requests_sent);
    }
    if (record.replies > record.replies_sent) {
      what = absl::StrCat("the caller has ", record.replies, " replies of ", record.replies_sent);
    }
    const absl::Duration due = std::max(record.started_at + record.timeout, record.paused_until);
    const bool late = !record.over() && !record.pausing && now > due + kDeadlineSlack;
    if (late && !is_disturbed(record)) what = "goes on, and its deadline has passed";
    if (!what.empty()) return absl::StrCat("call ", record.id, ", kind ", static_cast<int>(record.kind), ": ", what);
  }
  return {};
}

void Ledger::Check(const Circumstances& circumstances) const {
  for (const CallRecord& record : calls_) CheckCall(record, circumstances);
}

}  // namespace weir::testing
