#include "weir/rpc/core/why.h"

#include <string>

#include "gtest/gtest.h"
#include "weir/rpc/core/status.h"

namespace weir {
namespace {

Why Full() {
  Why why;
  why.by = Why::By::kPeer;
  why.phase = Why::Phase::kBody;
  why.processed = Why::Processed::kYes;
  why.http2 = "GOAWAY ENHANCE_YOUR_CALM(11) \"too many pings, 100%\"";
  why.method = "/chat.Chat/Join";
  why.target = "dns:///a b";
  why.peer = "[::1]:50051";
  why.elapsed = absl::Microseconds(1'203'004);
  why.attempt = 2;
  return why;
}

TEST(WhyTest, IsAPartOfTheStatusInWords) {
  const absl::Status status = WithWhy(absl::UnavailableError("gone"), Full());
  EXPECT_EQ(ToString(*WhyOf(status)),
            "by=peer phase=body processed=yes elapsed=1.203004s attempt=2 method=/chat.Chat/Join target=dns:///a%20b "
            "peer=[::1]:50051 http2=GOAWAY ENHANCE_YOUR_CALM(11) \"too many pings, 100%\"");
  EXPECT_EQ(status.message(), "gone");
}

TEST(WhyTest, EveryFieldIsReadBack) {
  const Why why = *WhyOf(WithWhy(absl::UnavailableError("gone"), Full()));
  EXPECT_EQ(why.by, Why::By::kPeer);
  EXPECT_EQ(why.phase, Why::Phase::kBody);
  EXPECT_EQ(why.processed, Why::Processed::kYes);
  EXPECT_EQ(why.http2, Full().http2);
  EXPECT_EQ(why.method, "/chat.Chat/Join");
  EXPECT_EQ(why.target, "dns:///a b");
  EXPECT_EQ(why.peer, "[::1]:50051");
  EXPECT_EQ(why.elapsed, absl::Microseconds(1'203'004));
  EXPECT_EQ(why.attempt, 2);
}

TEST(WhyTest, EveryWordIsReadBack) {
  for (int by = 0; by <= static_cast<int>(Why::By::kNetwork); ++by) {
    for (int phase = 0; phase <= static_cast<int>(Why::Phase::kTrailers); ++phase) {
      for (int processed = 0; processed <= static_cast<int>(Why::Processed::kYes); ++processed) {
        Why why;
        why.by = static_cast<Why::By>(by);
        why.phase = static_cast<Why::Phase>(phase);
        why.processed = static_cast<Why::Processed>(processed);
        const Why read = *WhyOf(WithWhy(absl::AbortedError(""), why));
        EXPECT_EQ(ToString(read), ToString(why));
        EXPECT_EQ(read.by, why.by);
        EXPECT_EQ(read.phase, why.phase);
        EXPECT_EQ(read.SafeToRetry(), why.processed == Why::Processed::kNo);
      }
    }
  }
}

TEST(WhyTest, TextOfAnyBytesIsReadBack) {
  std::string any;
  for (int byte = 0; byte < 256; ++byte) any += static_cast<char>(byte);
  Why why;
  why.target = any;
  why.http2 = any;
  EXPECT_EQ(WhyOf(WithWhy(absl::AbortedError(""), why))->target, any);
  EXPECT_EQ(WhyOf(WithWhy(absl::AbortedError(""), why))->http2, any);
}

TEST(WhyTest, OnlyFailuresOfCallsHaveOne) {
  EXPECT_FALSE(WhyOf(absl::OkStatus()).has_value());
  EXPECT_FALSE(WhyOf(absl::AbortedError("")).has_value());
  EXPECT_EQ(WithWhy(absl::OkStatus(), Full()), absl::OkStatus());
}

TEST(WhyTest, LastOneCounts) {
  Why later;
  later.by = Why::By::kCaller;
  EXPECT_EQ(WhyOf(WithWhy(WithWhy(absl::AbortedError(""), Full()), later))->by, Why::By::kCaller);
}

TEST(WhyTest, ExplanationIsOneLine) {
  EXPECT_EQ(Explain(absl::OkStatus()), "OK");
  EXPECT_EQ(Explain(absl::NotFoundError("no such chat")), "NOT_FOUND: no such chat");
  EXPECT_EQ(Explain(absl::NotFoundError("")), "NOT_FOUND");
  EXPECT_EQ(Explain(WithWhy(absl::UnavailableError("gone"), Full())),
            "UNAVAILABLE: gone [/chat.Chat/Join to dns:///a b ([::1]:50051); decided by the peer, in the middle of the "
            "response, after 1.203004s; attempt 2; processed]");
}

TEST(WhyTest, ExplanationDoesNotRepeatWhatTheTextBeginsWith) {
  Why why;
  why.by = Why::By::kDeadline;
  why.method = "/chat.Chat/Join";
  why.target = "chat:1";
  EXPECT_EQ(Explain(WithWhy(absl::DeadlineExceededError("/chat.Chat/Join to chat:1: too late"), why)),
            "DEADLINE_EXCEEDED: /chat.Chat/Join to chat:1: too late [decided by the deadline, before it was sent; "
            "perhaps processed]");
}

TEST(WhyTest, UnprocessedIsOneOfItsFields) {
  const absl::Status marked = MarkUnprocessed(WithWhy(absl::UnavailableError("gone"), Full()));
  EXPECT_TRUE(WhyOf(marked)->SafeToRetry());
  EXPECT_EQ(WhyOf(marked)->target, "dns:///a b");
  EXPECT_FALSE(IsUnprocessed(WithWhy(marked, Full())));
}

}  // namespace
}  // namespace weir
