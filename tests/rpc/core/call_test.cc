// Call against a stream that is a fake: who waits, who is told, in which order.
#include "weir/rpc/core/call.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/benchmark/bench.pb.h"
#include "weir/rpc/core/when.h"
#include "weir/rpc/wire/messages.h"
#include "weir/tests/support/fake_loop.h"

namespace weir {
namespace {

using bench::Payload;
using testing::FakeLoop;

std::string Raw(std::string_view body) {
  Payload payload;
  payload.set_body(std::string(body));
  return payload.SerializeAsString();
}

// A message whose bytes are the text.
OutgoingMessage Plain(const std::string& text) {
  static constexpr OutgoingMessage::Codec kCodec = {
      .framed_bytes = [](const void* message) { return static_cast<const std::string*>(message)->size(); },
      .write = [](const void* message,
                  char* to) { static_cast<const std::string*>(message)->copy(to, std::string::npos); },
  };
  return OutgoingMessage(kCodec, &text);
}

// Takes messages as long as it is told to, and says what it was asked for.
class FakeStream final : public MessageStream {
 public:
  void Bind(StreamObserver& observer) override {}
  void ExpectMessage() override {}
  void WantNoMessage() override {}
  void WantMessage() override {
    log.push_back("want");
    if (on_want) std::exchange(on_want, nullptr)();
  }
  char* Reserve(size_t bytes) override {
    if (!has_room) return nullptr;
    log.push_back("reserve " + std::to_string(bytes));
    return reserved.emplace_back(bytes, '?').data();
  }
  bool SendMessage(transport::SharedBytes framed) override {
    log.push_back("send " + std::string(framed.bytes));
    return accepts;
  }
  void DecompressBy(const Compressor&) override {}
  void SendInitialMetadata(const Metadata&, const Compressor*) override { log.push_back("head"); }
  void HalfClose() override { log.push_back("half-close"); }
  bool Finish(const absl::Status& status, const Metadata&) override {
    log.push_back("finish");
    return true;
  }
  void WatchSending(std::unique_ptr<SendingWatch>) override {}
  void FinishNow(const absl::Status&) override { log.push_back("finish now"); }
  void Refuse(int, const absl::Status&) override { log.push_back("refuse"); }
  bool AnswerPage(std::string_view, const absl::Status&) override { return true; }
  void Cancel(const absl::Status&) override { log.push_back("cancel"); }

  std::vector<std::string> Take() { return std::exchange(log, {}); }

  std::vector<std::string> log;
  std::deque<std::string> reserved;
  bool has_room = false;
  bool accepts = true;
  std::function<void()> on_want;
};

// The parts of a call that client and server add, at their least.
class PlainCall final : public Call {
 public:
  explicit PlainCall(transport::Executor& loop) : Call(loop) {}
  using Call::Attach;
  using Call::EndAll;
  using Call::EndWriting;
  using Call::OnWritable;
  using Call::RefuseNewWrites;
  using Call::writes_wait;

  bool Deliver(std::string_view bytes) { return OnMessage(ReceivedMessage{.bytes = bytes}); }

  void Fail(absl::Status why) override { EndAll(std::move(why)); }
  std::shared_ptr<void> FailAfter(absl::Duration, std::string_view) override { return nullptr; }
  void OnInitialMetadata(Metadata) override {}
  void OnEnd(absl::Status status, Metadata) override { EndReading(std::move(status)); }
  void OnReset(absl::Status status) override { EndAll(std::move(status)); }
  void OnSendingEnd() override { EndWriting(); }
  void OnWritesDrained() override { ++drained; }

  int drained = 0;
};

using Log = std::vector<std::string>;

class ReceiveInto final : public ReceiveOneOperation {
 public:
  ReceiveInto(Call& call, google::protobuf::MessageLite& message) : ReceiveOneOperation(call), message_(message) {}

 private:
  absl::Status Decode(const transport::ChunkedBytes& payload) override {
    return wire::DecodeMessage(payload, &message_);
  }
  void GiveBackMessage() override { wire::GiveBack(call(), wire::Outgoing(message_)); }

  google::protobuf::MessageLite& message_;
};

class CallTest : public ::testing::Test {
 protected:
  // Coroutines of the test; each on the loop.
  Task<void> Read(std::string name) {
    std::optional<Payload> payload = co_await ReadOperation<Payload>(call_);
    log_.push_back(name + (payload ? " read " + payload->body() : " read nothing"));
  }
  Task<void> Write(std::string text) {
    const bool taken = co_await WriteOperation(call_, Plain(text));
    log_.push_back(text + (taken ? " taken" : " refused"));
  }
  Task<void> ReadOne(std::string name) {
    Payload payload;
    absl::Status status = co_await ReceiveInto(call_, payload);
    log_.push_back(name + (status.ok() ? " got " + payload.body() : " failed: " + std::string(status.message())));
  }

  void OnLoop(std::function<void()> work) {
    loop_.Post(std::move(work));
    loop_.RunUntilIdle();
  }
  Log Take() { return std::exchange(log_, {}); }

  FakeLoop loop_;
  FakeStream stream_;
  PlainCall call_{loop_};
  Log log_;
};

// ---- reading --------------------------------------------------------------------------------------------------------

TEST_F(CallTest, ReaderAsksTheStreamAndGetsTheMessageThatComesLater) {
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(Read("r"));
  });
  EXPECT_EQ(stream_.Take(), Log({"want"}));
  EXPECT_EQ(Take(), Log());
  OnLoop([&] { EXPECT_FALSE(call_.Deliver(Raw("a"))); });
  EXPECT_EQ(Take(), Log({"r read a"}));
  EXPECT_FALSE(call_.has_receiver());
}

TEST_F(CallTest, MessageThatComesInsideTheQuestionNeedsNoSuspension) {
  stream_.on_want = [&] { EXPECT_FALSE(call_.Deliver(Raw("a"))); };
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(Read("r"));
    EXPECT_EQ(Take(), Log({"r read a"}));
  });
}

TEST_F(CallTest, MessageNobodyWaitsForIsNotTaken) {
  OnLoop([&] {
    call_.Attach(&stream_);
    EXPECT_FALSE(call_.Deliver(Raw("a")));
  });
  EXPECT_EQ(Take(), Log());
}

TEST_F(CallTest, ReaderThatComesBeforeTheStreamIsServedWhenItIsThere) {
  OnLoop([&] { Spawn(Read("r")); });
  EXPECT_EQ(stream_.Take(), Log());
  OnLoop([&] { call_.Attach(&stream_); });
  EXPECT_EQ(stream_.Take(), Log({"want"}));
  OnLoop([&] { call_.Deliver(Raw("a")); });
  EXPECT_EQ(Take(), Log({"r read a"}));
}

TEST_F(CallTest, SecondReaderGetsNothingAndDoesNotDisturbTheFirst) {
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(Read("first"));
    Spawn(Read("second"));
  });
  EXPECT_EQ(Take(), Log({"second read nothing"}));
  OnLoop([&] { call_.Deliver(Raw("a")); });
  EXPECT_EQ(Take(), Log({"first read a"}));
}

TEST_F(CallTest, EndOfReadingTellsTheReaderAndEveryLaterOne) {
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(Read("waiting"));
    call_.OnEnd(absl::OkStatus(), Metadata());
    Spawn(Read("later"));
  });
  EXPECT_EQ(Take(), Log({"waiting read nothing", "later read nothing"}));
}

TEST_F(CallTest, ReceiverOfOneMessageWaitsForTheEndBehindIt) {
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(ReadOne("one"));
    EXPECT_TRUE(call_.Deliver(Raw("a")));
  });
  EXPECT_EQ(Take(), Log());
  OnLoop([&] { call_.OnEnd(absl::OkStatus(), Metadata()); });
  EXPECT_EQ(Take(), Log({"one got a"}));
}

TEST_F(CallTest, MessageThatCannotBeDecodedFailsTheCall) {
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(ReadOne("one"));
    EXPECT_FALSE(call_.Deliver("\x0a\x7fz"));
  });
  EXPECT_EQ(call_.end_status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Take().size(), 1u);
}

TEST_F(CallTest, StatusOfTheFirstEndCounts) {
  OnLoop([&] {
    call_.EndAll(absl::AbortedError("first"));
    call_.EndAll(absl::CancelledError("second"));
  });
  EXPECT_EQ(call_.end_status(), absl::AbortedError("first"));
}

// ---- giving back ----------------------------------------------------------------------------------------------------

// Something to wait for that is no call.
class Bell final {
 public:
  class Awaiter final : public Operation {
   public:
    explicit Awaiter(Bell& bell, transport::Executor& loop) : Operation(loop), bell_(bell) {}
    void await_resume() const {}

   private:
    friend class Bell;
    bool Begin() override {
      bell_.waiter_ = this;
      return false;
    }
    void Forget() override { bell_.waiter_ = nullptr; }
    Bell& bell_;
  };
  Awaiter Rung(transport::Executor& loop) { return Awaiter(*this, loop); }
  void Ring() { waiter_->Complete(); }

 private:
  Awaiter* waiter_ = nullptr;
};

Task<void> ReadUnlessItRings(Call& call, Bell& bell, transport::Executor& home, Log& log) {
  const auto first = co_await WhenAny(ReadOperation<Payload>(call), bell.Rung(home));
  log.push_back(first.index() == 0 ? "a message" : "the bell");
}

// The reader lives on another loop than its call, and is told of the message too late.
TEST_F(CallTest, MessageThatAReadTookWhichLostIsForTheNextOne) {
  FakeLoop home;
  Bell bell;
  home.Post([&] { Spawn(ReadUnlessItRings(call_, bell, home, log_)); });
  home.RunUntilIdle();
  OnLoop([&] { call_.Attach(&stream_); });
  home.Post([&] {
    OnLoop([&] { EXPECT_FALSE(call_.Deliver(Raw("a"))); });
    bell.Ring();
  });
  for (int i = 0; i < 5; ++i) {
    home.RunUntilIdle();
    loop_.RunUntilIdle();
  }
  EXPECT_EQ(Take(), Log({"the bell"}));
  stream_.Take();
  OnLoop([&] {
    Spawn(Read("first"));
    Spawn(Read("second"));
  });
  EXPECT_EQ(Take(), Log({"first read a"}));
  EXPECT_EQ(stream_.Take(), Log({"want"})) << "for the second";
  OnLoop([&] { call_.Deliver(Raw("b")); });
  EXPECT_EQ(Take(), Log({"second read b"}));
}

TEST_F(CallTest, MessageThatWasGivenBackComesBeforeTheEnd) {
  Payload payload;
  payload.set_body("a");
  OnLoop([&] {
    call_.Attach(&stream_);
    call_.OnEnd(absl::OkStatus(), Metadata());
    wire::GiveBack(call_, wire::Outgoing(payload));
    Spawn(Read("first"));
    Spawn(Read("second"));
    wire::GiveBack(call_, wire::Outgoing(payload));
    Spawn(ReadOne("only"));
  });
  EXPECT_EQ(Take(), Log({"first read a", "second read nothing", "only got a"}));
}

// ---- writing --------------------------------------------------------------------------------------------------------

TEST_F(CallTest, WriteThatIsTakenAtOnceNeedsNoSuspension) {
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(Write("a"));
    EXPECT_EQ(Take(), Log({"a taken"}));
  });
  EXPECT_EQ(stream_.Take(), Log({"send a"}));
}

TEST_F(CallTest, SmallMessageIsEncodedStraightIntoTheRoomThatTheStreamHas) {
  stream_.has_room = true;
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(Write("abc"));
    EXPECT_EQ(Take(), Log({"abc taken"}));
  });
  EXPECT_EQ(stream_.Take(), Log({"reserve 3"}));
  EXPECT_EQ(stream_.reserved, std::deque<std::string>({"abc"}));
}

TEST_F(CallTest, SmallMessageDoesNotOvertakeOneThatWaits) {
  stream_.accepts = false;
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(Write("a"));
    stream_.has_room = true;
    Spawn(Write("b"));
  });
  EXPECT_EQ(stream_.Take(), Log({"send a"}));
  EXPECT_EQ(Take(), Log());
  OnLoop([&] { call_.EndAll(absl::CancelledError("over")); });
  EXPECT_EQ(Take(), Log({"a refused", "b refused"}));
}

TEST_F(CallTest, SmallMessageOfACallThatHasEndedIsNotEncoded) {
  stream_.has_room = true;
  OnLoop([&] {
    call_.Attach(&stream_);
    call_.EndWriting();
    Spawn(Write("a"));
  });
  EXPECT_EQ(stream_.Take(), Log());
  EXPECT_EQ(Take(), Log({"a refused"}));
}

TEST_F(CallTest, MessageOverProtobufsLimitFailsTheCallInsteadOfBeingCut) {
  static constexpr OutgoingMessage::Codec kHuge = {
      .framed_bytes = [](const void*) { return size_t{OutgoingMessage::kFramedBytesMax} + 1; },
      .write = [](const void*, char*) { FAIL() << "must not be written"; },
  };
  const auto write = [](PlainCall& call, Log& log) -> Task<void> {
    const bool taken = co_await WriteOperation(call, OutgoingMessage(kHuge, nullptr));
    log.push_back(taken ? "taken" : "refused");
  };
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(write(call_, log_));
  });
  EXPECT_EQ(Take(), Log({"refused"}));
  EXPECT_EQ(stream_.Take(), Log());
  EXPECT_EQ(call_.end_status(),
            absl::ResourceExhaustedError("message to be sent of 2147483643 bytes is over the limit of 2147483642 bytes "
                                         "(the most that can be sent); send it in parts"));
}

TEST_F(CallTest, WritesWaitForOneAnotherInOrder) {
  stream_.accepts = false;
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(Write("a"));
    Spawn(Write("b"));
    Spawn(Write("c"));
  });
  EXPECT_EQ(stream_.Take(), Log({"send a"}));
  OnLoop([&] { call_.OnWritable(); });
  EXPECT_EQ(Take(), Log({"a taken"}));
  EXPECT_EQ(stream_.Take(), Log({"send b"}));
  stream_.accepts = true;
  OnLoop([&] { call_.OnWritable(); });
  EXPECT_EQ(Take(), Log({"b taken", "c taken"}));
  EXPECT_EQ(stream_.Take(), Log({"send c"}));
  EXPECT_FALSE(call_.writes_wait());
}

TEST_F(CallTest, WritesBeforeTheStreamLeaveWhenItIsThere) {
  OnLoop([&] {
    Spawn(Write("a"));
    Spawn(Write("b"));
  });
  EXPECT_EQ(Take(), Log());
  OnLoop([&] { call_.Attach(&stream_); });
  EXPECT_EQ(stream_.Take(), Log({"send a", "send b"}));
  EXPECT_EQ(Take(), Log({"a taken", "b taken"}));
}

TEST_F(CallTest, EndOfTheCallRefusesWritesThatWaitAndLaterOnes) {
  stream_.accepts = false;
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(Write("a"));
    Spawn(Write("b"));
    call_.OnReset(absl::CancelledError(""));
    Spawn(Write("c"));
  });
  EXPECT_EQ(Take(), Log({"a refused", "b refused", "c refused"}));
  EXPECT_EQ(stream_.Take(), Log({"send a"}));
}

TEST_F(CallTest, RefusingNewWritesLetsThoseThatWaitGoOut) {
  stream_.accepts = false;
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(Write("a"));
    Spawn(Write("b"));
    call_.RefuseNewWrites();
    Spawn(Write("c"));
  });
  EXPECT_EQ(Take(), Log({"c refused"}));
  stream_.accepts = true;
  OnLoop([&] { call_.OnWritable(); });
  EXPECT_EQ(Take(), Log({"a taken", "b taken"}));
}

TEST_F(CallTest, WriteThatIsDestroyedWhileItWaitsIsForgotten) {
  stream_.accepts = false;
  for (int gone = 0; gone < 3; ++gone) {
    SCOPED_TRACE(gone);
    PlainCall call(loop_);
    FakeStream stream;
    stream.accepts = false;
    Task<void> tasks[3];
    OnLoop([&] {
      call.Attach(&stream);
      struct Root final : TaskRoot {
        void OnTaskDone() noexcept override {}
      } static root;
      const auto write = [](PlainCall& c, Log& log, std::string text) -> Task<void> {
        const bool taken = co_await WriteOperation(c, Plain(text));
        log.push_back(text + (taken ? " taken" : " refused"));
      };
      const char* texts[] = {"a", "b", "c"};
      for (int i = 0; i < 3; ++i) {
        tasks[i] = write(call, log_, texts[i]);
        tasks[i].Start(&root);
      }
      tasks[gone] = Task<void>();
      call.EndWriting();
    });
    EXPECT_EQ(Take().size(), 2u);
    EXPECT_FALSE(call.writes_wait());
  }
}

TEST_F(CallTest, WriteThatGivesUpIsRefusedOnceAndTheOthersKeepTheirOrder) {
  stream_.accepts = false;
  const auto write = [](WriteOperation& operation, Log& log) -> Task<void> {
    const bool taken = co_await operation;
    log.push_back(taken ? "taken" : "given up");
  };
  for (int gone = 0; gone < 3; ++gone) {
    SCOPED_TRACE(gone);
    PlainCall call(loop_);
    const std::string texts[] = {"a", "b", "c"};
    std::deque<WriteOperation> writes;
    OnLoop([&] {
      call.Attach(&stream_);
      for (const std::string& text : texts) writes.emplace_back(call, Plain(text));
      for (WriteOperation& operation : writes) Spawn(write(operation, log_));
      writes[gone].GiveUp();
      writes[gone].GiveUp();
    });
    EXPECT_EQ(Take(), Log({"given up"}));
    EXPECT_TRUE(call.writes_wait());
    stream_.Take();
    stream_.accepts = true;
    OnLoop([&] { call.OnWritable(); });
    EXPECT_EQ(Take(), Log({"taken", "taken"}));
    EXPECT_EQ(stream_.Take(), gone == 0 ? Log({"send b", "send c"}) : gone == 1 ? Log({"send c"}) : Log({"send b"}));
    EXPECT_FALSE(call.writes_wait());
    stream_.accepts = false;
  }
}

TEST_F(CallTest, LastWriteThatGivesUpMakesWayForWhatWaitsForIt) {
  stream_.accepts = false;
  OnLoop([&] {
    call_.Attach(&stream_);
    WriteOperation last(call_, Plain("a"));
    const auto write = [](WriteOperation& operation) -> Task<void> { co_await operation; };
    Spawn(write(last));
    EXPECT_EQ(call_.drained, 0);
    last.GiveUp();
    last.GiveUp();
    EXPECT_EQ(call_.drained, 1);
  });
}

TEST_F(CallTest, WaiterThatEndsTheCallWhenItResumesFindsItInOrder) {
  stream_.accepts = false;
  const auto end = [](PlainCall& call, Log& log) -> Task<void> {
    const std::string text = "a";
    const bool taken = co_await WriteOperation(call, Plain(text));
    log.push_back(taken ? "taken" : "refused");
    call.EndAll(absl::AbortedError("enough"));
  };
  OnLoop([&] {
    call_.Attach(&stream_);
    Spawn(end(call_, log_));
    Spawn(Write("b"));
    Spawn(Read("r"));
    call_.OnWritable();
  });
  EXPECT_EQ(Take(), Log({"taken", "r read nothing", "b refused"}));
}

}  // namespace
}  // namespace weir
