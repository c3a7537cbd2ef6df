#include "weir/tests/sim/ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace weir::testing {
namespace {

constexpr absl::Duration kDeadlineSlack = absl::Milliseconds(10);

bool MayEndAs(const CallRecord& record, absl::StatusCode code, bool servers_went_away) {
  switch (code) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kUnavailable:
      return true;
    case absl::StatusCode::kDeadlineExceeded:
      return record.ended_at - record.started_at >= record.timeout;
    case absl::StatusCode::kCancelled:
      return record.cancelled || servers_went_away;
    default:
      return false;
  }
}

void CheckCall(const CallRecord& record, bool servers_went_away) {
  SCOPED_TRACE(absl::StrCat("call ", record.id, ", kind ", static_cast<int>(record.kind), ", timeout ",
                            absl::FormatDuration(record.timeout), ", started at ",
                            absl::FormatDuration(record.started_at), ", ended at ",
                            absl::FormatDuration(record.ended_at), ", status ", record.status.ToString()));
  EXPECT_EQ(record.ends, 1) << "a call ends exactly once";
  EXPECT_LE(record.handlers_begun, 1) << "a handler runs once at most";
  EXPECT_EQ(record.handlers_running, 0) << "a handler runs for ever";
  if (record.dropped) return;
  EXPECT_TRUE(MayEndAs(record, record.status.code(), servers_went_away)) << "nothing here causes such an end";
  if (!record.disturbed && !record.cancelled) {
    EXPECT_LE(record.ended_at, record.started_at + record.timeout + kDeadlineSlack) << "the deadline has passed";
  }
  if (!record.status.ok()) return;
  const bool requests_stream = record.kind == CallKind::kClientStream || record.kind == CallKind::kBidi;
  const bool replies_stream = record.kind == CallKind::kServerStream || record.kind == CallKind::kBidi;
  EXPECT_EQ(record.handlers_begun, 1) << "OK, and no handler ran";
  EXPECT_EQ(record.requests_seen, requests_stream ? record.messages : 1) << "OK, and requests are missing";
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

void ExpectMessage(const CallRecord& record, uint32_t number, std::string_view body) {
  const std::string expected = MessageOf(record, number).body();
  EXPECT_TRUE(body == expected) << "call " << record.id << ": expected message " << number << " of " << expected.size()
                                << " bytes, got " << body.size() << " bytes: " << body.substr(0, 20);
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

int Ledger::handlers_running() const {
  int running = 0;
  for (const CallRecord& record : calls_) running += record.handlers_running;
  return running;
}

void Ledger::Check(bool servers_went_away) const {
  for (const CallRecord& record : calls_) CheckCall(record, servers_went_away);
}

}  // namespace weir::testing
