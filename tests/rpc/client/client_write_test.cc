// The sending half of a call on the client: writes, half-close, request metadata.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/client_script.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

using bench::Payload;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using testing::Envelope;
using testing::Line;
using testing::Message;
using testing::RequestLine;
using testing::ResponseHead;
using testing::TestCall;
using testing::Trailers;

Task<void> WriteThree(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  for (const char* body : {"aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"}) {
    const bool taken = co_await call.Write(body);
    world.Log(absl::StrCat("write ", std::string(1, body[0]), taken ? " taken" : " refused"));
  }
  call.WritesDone();
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
}

TEST(W18EndOfStream, WritesLeaveInOrderAndTheHalfCloseBehindThem) {
  ClientScript script;
  script.Handshake()
      .Spawn(WriteThree)
      .ExpectLog({"write a taken", "write b taken", "write c taken"})
      .ExpectWritten({RequestLine(1, "BidiEcho"),
                      Data(1, Message("aaaaaaaaaa") + Message("bbbbbbbbbb") + Message("cccccccccc"), "END_STREAM")})
      .Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=0"))
      .ExpectLog({"OK"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientWriteTest, WriteWaitsForTheWindowAndTheHalfCloseWaitsForTheWrite) {
  const std::string a = Message("aaaaaaaaaa");
  const std::string b = Message("bbbbbbbbbb");
  const std::string c = Message("cccccccccc");
  ClientScript script;
  script.Handshake("INITIAL_WINDOW_SIZE=20")
      .Spawn(WriteThree)
      .ExpectLog({"write a taken"})
      .ExpectWritten({RequestLine(1, "BidiEcho"), Data(1, a + b.substr(0, 3))})
      .Peer("WINDOW_UPDATE 1 14")
      .ExpectLog({"write b taken"})
      .ExpectWritten({Data(1, b.substr(3))})
      .Peer("WINDOW_UPDATE 1 16")
      .ExpectLog({})
      .Peer("WINDOW_UPDATE 1 1")
      .ExpectLog({"write c taken"})
      .ExpectWritten({Data(1, c.substr(0, 16)), Data(1, c.substr(16), "END_STREAM")})
      .Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=0"))
      .ExpectLog({"OK"})
      .ExpectNothingLeft()
      .Run();
}

// Ends the call as soon as its last write is through: nothing may touch it afterwards.
Task<void> WriteAndDrop(ClientWorld& world) {
  {
    TestCall call = world.Open("BidiEcho");
    const bool taken = co_await call.Write("aaaaaaaaaa");
    world.Log(taken ? "taken" : "refused");
  }
  world.Log("dropped");
}

Task<void> AwaitWrite(ClientWorld& world, WriteOperation& write) {
  const bool taken = co_await write;
  world.Log(taken ? "taken" : "given up");
}

Task<void> HalfCloseBehindAWriteThatGivesUp(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  Payload payload;
  payload.set_body("hello");
  WriteOperation write(call.call(), wire::Outgoing(payload));
  Spawn(AwaitWrite(world, write));
  call.WritesDone();
  co_await world.signal("give up");
  write.GiveUp();
  write.GiveUp();
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
}

TEST(ClientWriteTest, WriteThatGivesUpIsNotWaitedForByTheHalfCloseButItsMessageIs) {
  ClientScript script;
  script.Handshake("INITIAL_WINDOW_SIZE=5")
      .Spawn(HalfCloseBehindAWriteThatGivesUp)
      .ExpectWritten({"HEADERS 1 ...", Data(1, Envelope(0, 7))})
      .Set("give up")
      .ExpectLog({"given up"})
      .ExpectWritten({})
      .Peer("WINDOW_UPDATE 1 7")
      .ExpectWritten({Data(1, Message("hello").substr(5), "END_STREAM")})
      .Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=0"))
      .ExpectLog({"OK"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientWriteTest, CallMayBeDroppedAsSoonAsAWriteThatWaitedIsThrough) {
  ClientScript script;
  script.Handshake("INITIAL_WINDOW_SIZE=5")
      .Spawn(WriteAndDrop)
      .ExpectLog({})
      .Drop()
      .Peer("WINDOW_UPDATE 1 100")
      .ExpectLog({"taken", "dropped"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

Task<void> WriteAfterHalfClose(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  call.WritesDone();
  const bool taken = co_await call.Write("late");
  world.Log(taken ? "taken" : "refused");
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
}

TEST(ClientWriteTest, WriteAfterTheHalfCloseIsRefused) {
  ClientScript script;
  script.Handshake()
      .Spawn(WriteAfterHalfClose)
      .ExpectLog({"refused"})
      .ExpectWritten({RequestLine(1, "BidiEcho"), "DATA 1 END_STREAM"})
      .Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=0"))
      .ExpectLog({"OK"})
      .ExpectNothingLeft()
      .Run();
}

// Writes until it may not, and reads only then: as a program does whose server usually reads all.
Task<void> WriteThenRead(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  while (co_await call.Write("aaaaaaaaaa")) {
  }
  world.Log("refused");
  while (std::optional<Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
}

TEST(ClientWriteTest, ServerThatFinishesFirstEndsAWriteThatWaitsThoughItsMessagesAreUnread) {
  for (const char* reset : {"\nRST_STREAM 1 NO_ERROR", ""}) {
    ClientScript script;
    script.Handshake("INITIAL_WINDOW_SIZE=100")
        .Spawn(WriteThenRead)
        .ExpectLog({})
        .Drop()
        .Peer(ResponseHead(1) + "\n" + Data(1, Message("enough")) + "\n" + Trailers(1, "grpc-status=10") + reset)
        .ExpectLog({"refused", "read enough", "ABORTED: "})
        .ExpectNothingLeft()
        .Run();
  }
}

Task<void> CallWithMetadata(ClientWorld& world) {
  TestCall call = world.Call("Unary", "x",
                             CallOptions()
                                 .Metadata("tenant", "blue")
                                 .Metadata("Tenant", "green")
                                 .Metadata("key-bin", std::string_view("\0\1\2", 3))
                                 .Metadata("empty", "")
                                 .Metadata("spaced", " a b "));
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(Line(reply.status()));
}

TEST(W13Duplicates, MetadataGoesBehindTheProtocolsFieldsInOrder) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallWithMetadata)
      .Do([](ClientWorld& world) {
        const std::string head = world.TakeWritten().at(0);
        const std::string wanted = " tenant=blue tenant=green key-bin=AAEC empty=\"\" spaced=\"a b\"";
        EXPECT_TRUE(head.ends_with(wanted)) << head;
      })
      .Run();
}

Task<void> CallsOfSeveralKinds(ClientWorld& world) {
  TestCall first = world.Call("Unary", "x");
  TestCall same = world.Call("Unary", "x");
  TestCall other_method = world.Call("ServerStream", "x");
  TestCall metadata = world.Call("ServerStream", "x", CallOptions().Metadata("a", "b"));
  TestCall deadline = world.Call("ServerStream", "x", CallOptions().Timeout(absl::Seconds(1)));
  TestCall plain = world.Call("ServerStream", "x");
  co_await world.signal("never");
}

TEST(ClientWriteTest, EveryCallSendsItsOwnHeadWhateverTheOneBeforeItSent) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallsOfSeveralKinds)
      .Do([](ClientWorld& world) {
        std::vector<std::string> heads = world.TakeWritten();
        std::erase_if(heads, [](const std::string& line) { return !line.starts_with("HEADERS"); });
        ASSERT_EQ(heads.size(), 6u);
        const auto path = [](const char* method) { return std::string(":path=/bench.Echo/") + method + " "; };
        for (int i = 0; i < 6; ++i) {
          EXPECT_THAT(heads[i], HasSubstr(path(i < 2 ? "Unary" : "ServerStream"))) << i;
          EXPECT_EQ(heads[i].find(" a=b") != std::string::npos, i == 3) << heads[i];
          EXPECT_EQ(heads[i].find(" grpc-timeout=") != std::string::npos, i == 4) << heads[i];
        }
        EXPECT_EQ(heads[5].substr(heads[5].find(':')), heads[2].substr(heads[2].find(':')));
      })
      .Run();
}

Task<void> CallsWithIllegalMetadata(ClientWorld& world) {
  const std::pair<std::string_view, std::string_view> illegal[] = {
      {"grpc-timeout", "1S"}, {":path", "/"}, {"two words", "x"}, {"", "x"}, {"text", "a\nb"}, {"text", "\xc3\xa4"}};
  for (const auto& [key, value] : illegal) {
    TestCall call = world.Call("Unary", "x", CallOptions().Metadata(key, value));
    absl::StatusOr<Payload> reply = co_await call.Reply();
    world.Log(std::string(absl::StatusCodeToString(reply.status().code())));
  }
}

TEST(W11Names, IllegalMetadataFailsTheCallAndSendsNothing) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallsWithIllegalMetadata)
      .ExpectLog({"INTERNAL", "INTERNAL", "INTERNAL", "INTERNAL", "INTERNAL", "INTERNAL"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

Task<void> CallWithHugeMetadata(ClientWorld& world) {
  TestCall call = world.Call("Unary", "x", CallOptions().Metadata("huge", std::string(100000, 'x')));
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(Line(reply.status()).substr(0, 18));
}

TEST(W15Size, MetadataThatDoesNotFitAHeaderBlockFailsTheCall) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallWithHugeMetadata)
      .ExpectLog({"RESOURCE_EXHAUSTED"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
