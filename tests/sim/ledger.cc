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
      return record.cancelled || circumstances.servers_went_away;
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
  EXPECT_LE(record.handlers_begun, circumstances.attempts_max) << "a handler runs once at most for an attempt";
  EXPECT_EQ(record.handlers_running, 0) << "a handler runs for ever";
  if (record.dropped) return;
  EXPECT_TRUE(MayEndAs(record, record.status.code(), circumstances)) << "nothing here causes such an end";
  if (!record.disturbed && !record.cancelled) {
    EXPECT_LE(record.ended_at, record.started_at + record.timeout + kDeadlineSlack) << "the deadline has passed";
  }
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

void Ledger::Check(const Circumstances& circumstances) const {
  for (const CallRecord& record : calls_) CheckCall(record, circumstances);
}

}  // namespace weir::testing
