// Bytes that wait on a connection because of its client: answers that it does not take, requests that it does not
// complete. Below, at and above each ceiling, and that all is forgotten when the client goes on. What becomes of the
// windows is in server_ration_test; they are small here already.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Data;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  world.Log("unary " + request.body());
  co_return request;
}

Task<absl::StatusOr<bench::Summary>> Count(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  bench::Summary summary;
  while (co_await reader.Read()) summary.set_count(summary.count() + 1);
  co_return summary;
}

constexpr char kText[] = "twenty-two octets, say";
const size_t kAnswer = Message(kText).size();

weir::ServerOptions Ceilings(size_t soft_bytes, size_t hard_bytes) {
  weir::ServerOptions options;
  options.stream_window_bytes = 65'535;
  options.connection.memory_soft_bytes = soft_bytes;
  options.connection.memory_hard_bytes = hard_bytes;
  return options;
}

std::string Call(int stream, const std::string& body, const std::string& fields = "") {
  return Request(stream, "Unary", fields) + "\n" + Data(stream, Message(body), "END_STREAM");
}

// One answer of kAnswer octets waits.
ServerScript& Begin(ServerScript& script) {
  return script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(Call(1, kText))
      .ExpectLog({absl::StrCat("unary ", kText)})
      .ExpectWritten({ResponseHead(1)});
}

// ---- the soft ceiling: answers wait for less time --------------------------------------------------------------------

TEST(ServerMemoryTest, AnAnswerWaitsForATenthOfItsTimeWhileMoreWaitsThanTheSoftCeiling) {
  for (const size_t soft : {kAnswer - 1, kAnswer, kAnswer + 1}) {
    ServerScript script(Ceilings(soft, 1000));
    Begin(script).Advance(seconds(30) - milliseconds(1)).ExpectWritten({}).Advance(milliseconds(1));
    if (soft >= kAnswer) {
      script.ExpectWritten({}).Advance(seconds(270));
    }
    script.ExpectWritten({"RST_STREAM 1 CANCEL"})
        .ExpectTimeouts({Timeout::kStreamWriteStall})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(ServerMemoryTest, AnAnswerThatHasWaitedLongerIsDroppedSoonAfterMemoryIsShort) {
  ServerScript script(Ceilings(2 * kAnswer - 1, 1000));
  Begin(script)
      .Advance(seconds(100))
      .Peer(Call(3, kText))
      .Drop()
      .Advance(seconds(20) - milliseconds(1))
      .ExpectWritten({})
      .Advance(milliseconds(1))
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .Advance(seconds(280))  // the other has room now
      .ExpectWritten({"RST_STREAM 3 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

// ---- the soft ceiling: calls begin later ----------------------------------------------------------------------------

TEST(ServerMemoryTest, NoCallBeginsWhileMoreAnswersWaitThanTheSoftCeiling) {
  for (const size_t soft : {kAnswer - 1, kAnswer, kAnswer + 1}) {
    ServerScript script(Ceilings(soft, 1000));
    Begin(script).Peer(Call(3, "me too"));
    if (soft >= kAnswer) {
      script.ExpectLog({"unary me too"}).ExpectWritten({ResponseHead(3)}).Peer("WINDOW_UPDATE 1 1000");
    } else {
      script.ExpectLog({}).ExpectWritten({}).Peer("WINDOW_UPDATE 1 1000").ExpectLog({"unary me too"});
    }
    script.Peer("WINDOW_UPDATE 3 1000").Drop().ExpectNothingLeft().Run();
  }
}

TEST(ServerMemoryTest, CallsBeginInTheOrderInWhichTheyCame) {
  ServerScript script(Ceilings(2 * kAnswer - 1, 1000));
  Begin(script)
      .Peer(Call(3, kText))
      .Drop()
      .Peer(Call(5, kText))
      .Peer(Call(7, "seven"))
      .Peer(Call(9, "nine"))
      .ExpectLog({})
      .Peer("WINDOW_UPDATE 1 1000")
      .ExpectLog({absl::StrCat("unary ", kText)})
      .Peer(Call(11, "eleven"))
      .ExpectLog({})
      .Peer("WINDOW_UPDATE 3 1000")
      .ExpectLog({"unary seven", "unary nine", "unary eleven"})
      .Run();
}

TEST(ServerMemoryTest, WhatAClientResetsWaitsNoMore) {
  ServerScript script(Ceilings(kAnswer - 1, 1000));
  Begin(script).Peer(Call(3, "three")).Peer("RST_STREAM 1 CANCEL").ExpectLog({"unary three"}).Run();
}

TEST(ServerMemoryTest, ACallThatIsResetBeforeItBeginsNeverDoes) {
  ServerScript script(Ceilings(kAnswer - 1, 1000));
  Begin(script)
      .Peer(Call(3, "three"))
      .Peer(Call(5, "five"))
      .Peer(Call(7, "seven"))
      .Peer("RST_STREAM 3 CANCEL")
      .Peer("RST_STREAM 7 CANCEL")
      .Peer("WINDOW_UPDATE 1 1000")
      .ExpectLog({"unary five"})
      .Peer("WINDOW_UPDATE 5 1000")
      .Drop()
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerMemoryTest, TheDeadlineOfACallThatHasNotBegunPassesAllTheSame) {
  ServerScript script(Ceilings(kAnswer - 1, 1000));
  Begin(script)
      .Peer(Call(3, "three", "grpc-timeout=1S"))
      .Advance(seconds(1))
      .ExpectWritten(
          {"HEADERS 3 END_STREAM :status=200 content-type=application/grpc grpc-status=4 "
           "grpc-message=\"/bench.Echo/Unary: the client's deadline of 1s passed before the handler began: it "
           "waited for the client to take answers of other calls "
           "(ServerOptions::connection.memory_soft_bytes)\""})
      .Peer("WINDOW_UPDATE 1 1000")
      .ExpectLog({})
      .Drop()
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerMemoryTest, CallsThatHaveNotBegunEndWithTheirConnection) {
  ServerScript stopped(Ceilings(kAnswer - 1, 1000));
  Begin(stopped)
      .Peer(Call(3, "three"))
      .Stop()
      .Advance(seconds(2))
      .ExpectLog({"connection gone"})
      .Drop()
      .ExpectNothingLeft()
      .Run();
  ServerScript lost(Ceilings(kAnswer - 1, 1000));
  Begin(lost).Peer(Call(3, "three")).Lose().ExpectLog({"connection gone"}).Drop().ExpectNothingLeft().Run();
}

// Its memory is held as long as its last octet.
TEST(ServerMemoryTest, AnAnswerThatHasLeftInPartCountsAsAWhole) {
  ServerScript script(Ceilings(kAnswer - 1, 1000));
  Begin(script)
      .Peer(absl::StrCat("WINDOW_UPDATE 1 ", kAnswer - 1))
      .Peer(Call(3, "three"))
      .ExpectLog({})
      .Peer("WINDOW_UPDATE 1 1")
      .ExpectLog({"unary three"})
      .Run();
}

// ---- the hard ceiling: the connection ends --------------------------------------------------------------------------

std::string GoAway(int last, const std::string& what, size_t hard) {
  return absl::StrCat("GOAWAY last=", last, " ENHANCE_YOUR_CALM \"memory: ", what, "; expected at most ", hard,
                      " (ServerOptions::connection.memory_hard_bytes)\"");
}

TEST(ServerMemoryTest, BeyondTheHardCeilingForRequestsTheConnectionEnds) {
  constexpr size_t kPart = 20;
  for (const size_t hard : {kPart - 1, kPart, kPart + 1}) {
    ServerScript script(Ceilings(1000, hard));
    script.ClientStream(Count)
        .Handshake()
        .Peer(Request(1, "ClientStream"))
        .Peer(Data(1, Message(kText).substr(0, kPart)));
    if (hard < kPart) {
      script.ExpectWritten(
          {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8...",
           GoAway(1, absl::StrCat(kPart, " bytes of requests wait for their rest or their readers"), hard)});
    } else {
      script.ExpectWritten({}).Advance(seconds(30)).ExpectWritten({});
    }
    script.Run();
  }
}

TEST(ServerMemoryTest, BeyondTheHardCeilingForAnswersAClientThatTakesNoneLosesItsConnection) {
  for (const size_t hard : {kAnswer - 1, kAnswer, kAnswer + 1}) {
    ServerScript script(Ceilings(10, hard));
    Begin(script).Advance(milliseconds(19'999)).ExpectWritten({}).Advance(milliseconds(1));
    if (hard < kAnswer) {
      script.ExpectWritten(
          {GoAway(1, absl::StrCat(kAnswer, " bytes of answers wait, and the client takes none"), hard)});
    } else {
      script.ExpectWritten({})
          .Peer("WINDOW_UPDATE 1 1000")
          .ExpectWritten({Data(1, Message(kText)), Trailers(1)})
          .ExpectNothingLeft();
    }
    script.Run();
  }
}

// Handlers may finish large answers all at once; that is not their client's fault.
TEST(ServerMemoryTest, AClientThatTakesItsAnswersKeepsItsConnection) {
  const size_t hard = 2 * kAnswer - 1;
  ServerScript script(Ceilings(hard, hard));
  Begin(script).Peer(Call(3, kText));
  for (int i = 0; i < 10; ++i) script.Advance(seconds(10)).Peer("WINDOW_UPDATE 1 1\nWINDOW_UPDATE 3 1");
  script.Drop()
      .Advance(milliseconds(19'999))
      .ExpectWritten({})
      .Advance(milliseconds(1))
      .ExpectLastWritten(
          GoAway(3, absl::StrCat(2 * kAnswer, " bytes of answers wait, and the client takes none"), hard));
  script.Run();
}

}  // namespace
}  // namespace weir
