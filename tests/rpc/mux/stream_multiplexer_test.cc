// StreamMultiplexer alone, between an H2Connection and an observer that is a fake: which event reaches whom, in which
// order, and how often.
#include "weir/rpc/mux/stream_multiplexer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/benchmark/bench.pb.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/wire/envelope.h"
#include "weir/rpc/wire/message_codec.h"
#include "weir/tests/support/call_script.h"
#include "weir/tests/support/frame_script.h"

namespace weir::mux {
namespace {

using testing::Data;
using testing::Envelope;
using testing::Frames;
using testing::Line;
using testing::Request;
using testing::ResponseHead;
using testing::Trailers;
using transport::H2Connection;
using transport::H2Event;
using transport::SharedBytes;

using Log = std::vector<std::string>;

class Observer final : public StreamObserver {
 public:
  Observer(std::string name, Log& log) : name_(std::move(name)), log_(log) {}

  void OnInitialMetadata(Metadata) override { Say("initial metadata"); }
  bool OnMessage(const ReceivedMessage& message) override {
    Say(absl::StrCat("message ", message.bytes.Flatten()));
    if (on_message) on_message();
    return more;
  }
  void OnEnd(absl::Status status, Metadata) override { Say("end " + Line(status)); }
  void OnReset(absl::Status status) override {
    Say("reset " + Line(status));
    if (on_reset) on_reset();
  }
  void OnSendingEnd() override { Say("sending end"); }
  void OnWritable() override { Say("writable"); }

  MessageStream* stream = nullptr;
  bool more = false;
  std::function<void()> on_message;
  std::function<void()> on_reset;

 private:
  void Say(const std::string& what) { log_.push_back(absl::StrCat(name_, ": ", what)); }

  const std::string name_;
  Log& log_;
};

// A connection of one role, its multiplexer, and what is told to both sides of it.
class Bench final : public Host, public CallAcceptor {
 public:
  explicit Bench(transport::Role role)
      : connection(OptionsOf(role)),
        mux(connection, *this, role == transport::Role::kServer ? static_cast<CallAcceptor*>(this) : nullptr, {}) {
    connection.InitiateConnection();
    Peer(role == transport::Role::kServer ? "PREFACE\nSETTINGS\nSETTINGS ACK" : "SETTINGS\nSETTINGS ACK");
    Written();
    log.clear();
  }

  void Peer(const std::string& frames) {
    const std::string bytes = Frames(frames);
    std::vector<H2Event> events;
    connection.ReceiveData(bytes, &events);
    mux.OnEvents(events);
  }
  Log Written() {
    transport::OutputBuffer out;
    connection.DataToSend(SIZE_MAX, &out);
    Log lines;
    decoder_.Feed(out.Flatten(), &lines);
    return lines;
  }
  Observer& Open() {
    wire::RequestHead head;
    head.scheme = "http";
    head.path = "/a/b";
    head.authority = "test";
    Observer& observer = Add();
    absl::StatusOr<MessageStream*> stream = mux.Open(wire::Grpc(), head, observer);
    EXPECT_TRUE(stream.ok()) << stream.status();
    if (stream.ok()) observer.stream = *stream;
    Written();  // nobody answers a request that has not left
    return observer;
  }
  Log Take() { return std::exchange(log, {}); }

  // Host
  void RequestFlush() override { ++flushes; }
  void RequestTurn() override { ++turns_wanted; }
  void OnDraining(const absl::Status& reason) override { log.push_back("draining: " + Line(reason)); }
  void OnPlaceFree() override { ++places_freed; }
  // CallAcceptor
  void OnRequest(MessageStream& stream, const wire::Protocol&, transport::RequestReceived) override {
    Observer& observer = Add();
    observer.stream = &stream;
    stream.Bind(observer);
  }

  Log log;
  std::vector<std::unique_ptr<Observer>> observers;
  int places_freed = 0;
  int flushes = 0;  // one for each try to send, among others
  int turns_wanted = 0;
  H2Connection connection;
  StreamMultiplexer mux;

 private:
  static transport::H2Options OptionsOf(transport::Role role) {
    transport::H2Options options;
    options.role = role;
    return options;
  }
  Observer& Add() {
    observers.push_back(std::make_unique<Observer>(absl::StrCat("call ", observers.size() + 1), log));
    return *observers.back();
  }

  transport::FrameTextDecoder decoder_{connection.options().role};
};

class ServerMuxTest : public ::testing::Test {
 protected:
  Bench bench_{transport::Role::kServer};
};
class ClientMuxTest : public ::testing::Test {
 protected:
  Bench bench_{transport::Role::kClient};
};

TEST_F(ServerMuxTest, MessageComesOnlyWhenItIsWantedAndOncePerWish) {
  bench_.Peer(Request(1, "x") + "\n" + Data(1, Envelope(0, 1, "a") + Envelope(0, 1, "b")));
  EXPECT_EQ(bench_.Take(), Log());
  bench_.observers[0]->stream->WantMessage();
  EXPECT_EQ(bench_.Take(), Log({"call 1: message a"}));
  bench_.observers[0]->stream->WantMessage();
  EXPECT_EQ(bench_.Take(), Log({"call 1: message b"}));
  bench_.observers[0]->stream->WantMessage();
  EXPECT_EQ(bench_.Take(), Log());
  bench_.Peer(Data(1, Envelope(0, 1, "c")));
  EXPECT_EQ(bench_.Take(), Log({"call 1: message c"}));
}

TEST_F(ServerMuxTest, WishInsideAMessageIsServedWithoutRecursion) {
  bench_.Peer(Request(1, "x"));
  Observer& call = *bench_.observers[0];
  int depth = 0;
  call.on_message = [&] {
    EXPECT_EQ(++depth, 1);
    call.stream->WantMessage();
    --depth;
  };
  call.stream->WantMessage();
  bench_.Peer(Data(1, Envelope(0, 1, "a") + Envelope(0, 1, "b") + Envelope(0, 1, "c"), "END_STREAM"));
  EXPECT_EQ(bench_.Take(), Log({"call 1: message a", "call 1: message b", "call 1: message c", "call 1: end OK"}));
}

TEST_F(ServerMuxTest, EndIsHeldBackUntilEveryMessageIsTaken) {
  bench_.Peer(Request(1, "x") + "\n" + Data(1, Envelope(0, 1, "a"), "END_STREAM"));
  EXPECT_EQ(bench_.Take(), Log());
  bench_.observers[0]->stream->WantMessage();
  EXPECT_EQ(bench_.Take(), Log({"call 1: message a", "call 1: end OK"}));
}

// What writev is given of a large message lies where the message was serialized.
TEST_F(ServerMuxTest, LargeMessageIsSentFromWhereItWasEncoded) {
  bench_.Peer(Request(1, "x"));
  bench::Payload payload;
  payload.set_body(std::string(60'000, 'x'));
  const SharedBytes framed = *wire::Outgoing(payload).Encode();
  EXPECT_EQ(framed.bytes.size(), wire::kEnvelopeHeaderBytes + payload.ByteSizeLong());
  EXPECT_TRUE(bench_.observers[0]->stream->SendMessage(framed));
  transport::OutputBuffer out;
  bench_.connection.DataToSend(SIZE_MAX, &out);
  std::array<std::string_view, 64> pieces;
  const char* next = framed.bytes.data();
  size_t own_bytes = 0;
  for (size_t i = 0, count = out.Gather(pieces); i < count; ++i) {
    if (pieces[i].data() == next) {
      next += pieces[i].size();
    } else {
      own_bytes += pieces[i].size();
    }
  }
  EXPECT_EQ(next, framed.bytes.data() + framed.bytes.size());
  EXPECT_LT(own_bytes, 200u);  // the response's head, and nine bytes for each frame
}

TEST_F(ServerMuxTest, EventOfAStreamThatIsGoneReachesNoCall) {
  bench_.Peer(Request(1, "x"));
  bench_.observers[0]->stream->Cancel(absl::CancelledError(""));
  EXPECT_EQ(bench_.mux.call_count(), 0u);
  EXPECT_EQ(bench_.mux.ended_count(), 1u);
  bench_.Peer(Data(1, Envelope(0, 1, "a")) + "\nWINDOW_UPDATE 1 10\nRST_STREAM 1 CANCEL");
  EXPECT_EQ(bench_.Take(), Log());
  EXPECT_EQ(bench_.mux.ended_count(), 0u);
  EXPECT_EQ(bench_.connection.ActiveStreamCount(), 0u);
}

TEST_F(ServerMuxTest, CallsThatAreLostEndInTheOrderOfTheirStreams) {
  for (int id : {1, 3, 5, 7, 9, 11}) bench_.Peer(Request(id, "x"));
  bench_.mux.OnClosed(absl::CancelledError("gone"));
  EXPECT_EQ(bench_.Take(),
            Log({"call 1: reset CANCELLED: gone", "call 2: reset CANCELLED: gone", "call 3: reset CANCELLED: gone",
                 "call 4: reset CANCELLED: gone", "call 5: reset CANCELLED: gone", "call 6: reset CANCELLED: gone"}));
  EXPECT_EQ(bench_.mux.call_count(), 0u);
}

TEST_F(ServerMuxTest, CallThatEndsOthersWhenItIsCancelledConfusesNobody) {
  for (int id : {1, 3, 5}) bench_.Peer(Request(id, "x"));
  bench_.observers[0]->on_reset = [this] { bench_.observers[1]->stream->Finish(absl::OkStatus(), Metadata()); };
  bench_.mux.CancelAll(absl::UnavailableError("stop"));
  EXPECT_EQ(bench_.Take(), Log({"call 1: reset UNAVAILABLE: stop", "call 3: reset UNAVAILABLE: stop"}));
  EXPECT_EQ(bench_.mux.call_count(), 0u);
}

TEST_F(ServerMuxTest, GoAwayFromAClientLetsItsCallsGoOn) {
  bench_.Peer(Request(1, "x") + "\nGOAWAY last=0 NO_ERROR");
  EXPECT_FALSE(bench_.mux.is_draining());
  bench_.observers[0]->stream->WantMessage();
  bench_.Peer(Data(1, Envelope(0, 1, "a"), "END_STREAM"));
  EXPECT_EQ(bench_.Take(), Log({"call 1: message a", "call 1: end OK"}));
}

TEST_F(ServerMuxTest, TunnelsAreRefusedAndLeaveNothing) {
  bench_.Peer("HEADERS 1 :method=CONNECT :protocol=websocket :scheme=http :path=/chat :authority=test");
  EXPECT_EQ(bench_.Written(), (Log{"HEADERS 1 END_STREAM :status=501", "RST_STREAM 1 NO_ERROR"}));
  EXPECT_EQ(bench_.Take(), Log{});
  EXPECT_EQ(bench_.connection.ActiveStreamCount(), 0u);
}

TEST_F(ServerMuxTest, DrainIsToldOnce) {
  bench_.mux.BeginDrain();
  bench_.mux.BeginDrain();
  EXPECT_EQ(bench_.Take(), Log({"draining: UNAVAILABLE: draining"}));
  EXPECT_TRUE(bench_.mux.is_draining());
}

// ---- many streams wait for a window: what a frame of the peer's may cost

constexpr int kBlocked = 1000;

TEST_F(ServerMuxTest, ConnectionWindowByTheOctetTriesOneStreamForEachRead) {
  for (int i = 0; i < kBlocked; ++i) {
    bench_.Peer(Request(2 * i + 1, "x"));
    bench_.observers.back()->stream->SendMessage(SharedBytes::Of(std::string(i == 0 ? 65'535 : 5'000, 'x')));
    if (i == 0) bench_.Written();
  }
  std::string updates;
  for (int i = 0; i < 1'000; ++i) updates += "WINDOW_UPDATE 0 1\n";
  bench_.flushes = 0;
  bench_.Peer(updates);
  EXPECT_EQ(bench_.flushes, 1);
  for (int i = 0; i < 900; ++i) bench_.Peer("WINDOW_UPDATE 0 1");
  EXPECT_EQ(bench_.flushes, 901);
  // The 1,900 octets have gone to the first that waits, which has priority until it is done.
  bench_.Peer("WINDOW_UPDATE 0 3100");
  EXPECT_EQ(bench_.Take(), Log({"call 2: writable"}));
}

TEST_F(ServerMuxTest, StreamsThatWaitForTheirOwnWindowAreNotTriedWhenTheConnectionsOpens) {
  bench_.Peer("SETTINGS INITIAL_WINDOW_SIZE=0");
  for (int i = 0; i < kBlocked; ++i) {
    bench_.Peer(Request(2 * i + 1, "x"));
    bench_.observers.back()->stream->SendMessage(SharedBytes::Of(std::string(10, 'x')));
  }
  bench_.flushes = 0;
  for (int i = 0; i < 100; ++i) bench_.Peer("WINDOW_UPDATE 0 1");
  EXPECT_EQ(bench_.flushes, 0);
  bench_.Peer("WINDOW_UPDATE 3 10");
  EXPECT_EQ(bench_.flushes, 1);
  EXPECT_EQ(bench_.Take(), Log({"call 2: writable"}));
  // All windows together, twice in one read: each is tried once.
  bench_.Peer("SETTINGS INITIAL_WINDOW_SIZE=9\nSETTINGS INITIAL_WINDOW_SIZE=8");
  EXPECT_EQ(bench_.flushes, kBlocked);
  EXPECT_EQ(bench_.Take(), Log());
  bench_.Peer("SETTINGS INITIAL_WINDOW_SIZE=10");
  EXPECT_EQ(bench_.Take().size(), static_cast<size_t>(kBlocked - 1));
}

TEST_F(ServerMuxTest, ResetsOfStreamsThatHeldTheConnectionsWindowTryFewOthers) {
  constexpr int kShare = 65;
  bench_.Peer("SETTINGS INITIAL_WINDOW_SIZE=" + std::to_string(kShare));
  for (int i = 0; i < kBlocked; ++i) {
    bench_.Peer(Request(2 * i + 1, "x"));
    bench_.observers.back()->stream->SendMessage(SharedBytes::Of(std::string(5'000, 'x')));
  }
  // 65,000 octets are queued and not written; the last stream that is tried takes the other 535.
  bench_.Peer("SETTINGS INITIAL_WINDOW_SIZE=5000");
  bench_.flushes = 0;
  for (int i = 0; i < 100; ++i) bench_.Peer("RST_STREAM " + std::to_string(2 * i + 1) + " CANCEL");
  // The end of the call itself, and the one or two that take the room it leaves.
  EXPECT_LE(bench_.flushes, 3 * 100);
}

// It waited for its queue, not for a window; when the queue is empty, the connection's window is.
TEST_F(ServerMuxTest, StreamWhoseQueueWasFullFindsThatTheConnectionsWindowIsUsedUp) {
  bench_.Peer(Request(1, "x"));
  bench_.Peer(Request(3, "x"));
  bench_.Peer("WINDOW_UPDATE 1 100000\nWINDOW_UPDATE 0 34465");  // of the connection: 100,000
  MessageStream& first = *bench_.observers[0]->stream;
  for (int i = 0; i < 70; ++i) first.SendMessage(SharedBytes::Of(std::string(1'000, 'a')));  // 65,536 are queued
  EXPECT_FALSE(bench_.observers[1]->stream->SendMessage(SharedBytes::Of(std::string(65'000, 'b'))));
  std::vector<H2Event> events;
  transport::OutputBuffer out;
  bench_.connection.DataToSend(SIZE_MAX, &out, &events);
  bench_.mux.OnEvents(events);
  EXPECT_EQ(bench_.Take(), Log());
  bench_.Peer("WINDOW_UPDATE 0 34000");
  EXPECT_EQ(bench_.Take(), Log({"call 1: writable"}));
  bench_.Peer("WINDOW_UPDATE 0 1000");
  EXPECT_EQ(bench_.Take(), Log({"call 2: writable"}));
}

TEST_F(ClientMuxTest, GoAwayDrainsOnceAndNamesThePeersReason) {
  bench_.Open();
  bench_.Peer("GOAWAY last=2147483647 NO_ERROR \"maintenance\"\nGOAWAY last=1 NO_ERROR");
  EXPECT_EQ(bench_.Take().size(), 1u);
  EXPECT_FALSE(bench_.mux.CanOpen());
  bench_.Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=0"));
  EXPECT_EQ(bench_.Take(), Log({"call 1: end OK"}));
}

TEST_F(ClientMuxTest, EndOfACallFreesItsPlaceOnce) {
  bench_.Open();
  bench_.Open();
  bench_.places_freed = 0;
  bench_.Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=0") + "\nRST_STREAM 3 CANCEL");
  EXPECT_EQ(bench_.places_freed, 2);
  EXPECT_EQ(bench_.mux.call_count(), 0u);
}

TEST_F(ClientMuxTest, LossSparesAResponseThatIsCompleteAndCancelAllDoesNot) {
  for (bool cancel : {false, true}) {
    Bench bench(transport::Role::kClient);
    Observer& call = bench.Open();
    bench.Peer(ResponseHead(1) + "\n" + Data(1, Envelope(0, 1, "a")) + "\n" + Trailers(1));
    EXPECT_EQ(bench.Take(), Log({"call 1: initial metadata", "call 1: sending end"}));
    bench.mux.OnClosed(absl::UnavailableError("gone"));
    EXPECT_EQ(bench.Take(), Log());
    EXPECT_EQ(bench.mux.call_count(), 1u);
    if (cancel) {
      bench.mux.CancelAll(absl::CancelledError("stop"));
      EXPECT_EQ(bench.Take(), Log({"call 1: reset CANCELLED: stop"}));
    } else {
      call.stream->WantMessage();
      EXPECT_EQ(bench.Take(), Log({"call 1: message a", "call 1: end OK"}));
    }
    EXPECT_EQ(bench.mux.call_count(), 0u);
  }
}

TEST_F(ClientMuxTest, SmallMessagesShareAFrameAsLongAsTheWindowTakesThemWhole) {
  bench_.Peer("SETTINGS INITIAL_WINDOW_SIZE=10");
  Observer& call = bench_.Open();
  bench_.Written();
  for (const char c : {'a', 'b', 'c'}) {
    char* const room = call.stream->Reserve(3);
    ASSERT_NE(room, nullptr);
    std::fill_n(room, 3, c);
  }
  EXPECT_EQ(call.stream->Reserve(3), nullptr);
  EXPECT_EQ(bench_.Written(), Log({"DATA 1 \"aaabbbccc\""}));
  bench_.Peer("WINDOW_UPDATE 1 2");
  EXPECT_NE(call.stream->Reserve(3), nullptr);
}

TEST_F(ClientMuxTest, NoRoomIsReservedInFrontOfMessagesThatWait) {
  bench_.Peer("SETTINGS INITIAL_WINDOW_SIZE=10");
  Observer& call = bench_.Open();
  EXPECT_FALSE(call.stream->SendMessage(SharedBytes::Of(std::string(11, 'a'))));
  bench_.Written();
  bench_.Peer("WINDOW_UPDATE 0 100");
  EXPECT_EQ(call.stream->Reserve(0), nullptr);
}

TEST_F(ClientMuxTest, MessagesWaitForTheWindowAndTheHalfCloseWaitsForThem) {
  bench_.Peer("SETTINGS INITIAL_WINDOW_SIZE=10");
  Observer& call = bench_.Open();
  EXPECT_TRUE(call.stream->SendMessage(SharedBytes::Of(std::string(8, 'a'))));
  EXPECT_FALSE(call.stream->SendMessage(SharedBytes::Of(std::string(8, 'b'))));
  bench_.Written();
  bench_.Peer("WINDOW_UPDATE 1 6");
  EXPECT_EQ(bench_.Take(), Log({"call 1: writable"}));
  EXPECT_FALSE(call.stream->SendMessage(SharedBytes::Of(std::string(2, 'c'))));
  call.stream->HalfClose();
  EXPECT_EQ(bench_.Written(), Log({"DATA 1 \"bbbbbb\""}));
  bench_.Peer("WINDOW_UPDATE 1 2");
  EXPECT_EQ(bench_.Written(), Log({"DATA 1 END_STREAM \"cc\""}));
  EXPECT_EQ(bench_.Take(), Log());
}

TEST(MultiplexerRequest, OneThatIsResetInTheSameReadIsOfferedToNobody) {
  Bench bench(transport::Role::kServer);
  bench.Peer(Request(1, "Unary") + "\n" + Data(1, Envelope(0, 1, "a"), "END_STREAM") + "\nRST_STREAM 1 CANCEL\n" +
             Request(3, "Unary") + "\n" + Request(5, "Unary") + "\nRST_STREAM 5 CANCEL");
  ASSERT_EQ(bench.observers.size(), 1u);
  EXPECT_EQ(bench.connection.ActiveStreamCount(), 1u);
  EXPECT_EQ(bench.connection.HeldBytes(), 0u);
  bench.Peer("RST_STREAM 3 CANCEL");
  EXPECT_EQ(bench.Take().size(), 1u);
}

}  // namespace
}  // namespace weir::mux
