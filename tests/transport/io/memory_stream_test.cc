#include "weir/transport/io/memory_stream.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testing/status_matchers.h"
#include "weir/tests/support/fake_loop.h"

namespace weir::transport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using weir::testing::FakeLoop;
using weir::testing::StatusIs;
using Kind = IoResult::Kind;

class Recorder final : public ByteStreamObserver {
 public:
  void OnReadable() override { log.push_back("readable"); }
  void OnWritable() override { log.push_back("writable"); }
  std::vector<std::string> Take() { return std::exchange(log, {}); }
  std::vector<std::string> log;
};

class MemoryStreamTest : public ::testing::Test {
 protected:
  void Make(MemoryStreamOptions options) {
    std::tie(a_, b_) = MakeMemoryStreamPair(loop_, options);
    EXPECT_TRUE(a_->Start(&on_a_).ok());
    EXPECT_TRUE(b_->Start(&on_b_).ok());
    loop_.RunUntilIdle();
    on_a_.Take();
    on_b_.Take();
  }
  static IoResult Write(ByteStream& stream, std::string_view text) {
    const std::string_view pieces[] = {text.substr(0, 1), text.substr(1)};
    return stream.Write(pieces);
  }
  static std::string Read(ByteStream& stream, size_t bytes = 100) {
    std::string buffer(bytes, '\0');
    const IoResult result = stream.Read(buffer);
    if (result.kind == Kind::kWouldBlock) return "(would block)";
    if (result.kind == Kind::kEnd) return "(end)";
    if (result.kind == Kind::kError) return "(error)";
    return buffer.substr(0, result.bytes);
  }

  FakeLoop loop_;
  Recorder on_a_, on_b_;
  std::unique_ptr<MemoryStream> a_, b_;
};

TEST_F(MemoryStreamTest, BytesArriveInOrderAndTheReaderIsToldLaterOnceForSeveralWrites) {
  Make({});
  Write(*a_, "hello ");
  Write(*a_, "world");
  EXPECT_THAT(on_b_.log, IsEmpty()) << "never inside the call";
  loop_.RunUntilIdle();
  EXPECT_THAT(on_b_.Take(), ElementsAre("readable"));
  EXPECT_EQ(Read(*b_), "hello world");
  EXPECT_EQ(Read(*b_), "(would block)");
}

TEST_F(MemoryStreamTest, AFullStreamMakesTheWriterWaitUntilTheReaderHasRead) {
  Make({.capacity_bytes = 10});
  EXPECT_EQ(Write(*a_, "0123456789abc").bytes, 10u);
  EXPECT_EQ(Write(*a_, "abc").kind, Kind::kWouldBlock);
  EXPECT_EQ(b_->unread_bytes(), 10u);
  loop_.RunUntilIdle();
  EXPECT_THAT(on_a_.Take(), IsEmpty());
  EXPECT_EQ(Read(*b_, 4), "0123");
  loop_.RunUntilIdle();
  EXPECT_THAT(on_a_.Take(), ElementsAre("writable"));
  EXPECT_EQ(Write(*a_, "abcdef").bytes, 4u);
  EXPECT_EQ(Read(*b_), "456789abcd");
}

TEST_F(MemoryStreamTest, ReadsAndWritesCanBeCutShort) {
  Make({.read_bytes_max = 2, .write_bytes_max = 3});
  EXPECT_EQ(Write(*a_, "abcdef").bytes, 3u);
  EXPECT_EQ(Read(*b_), "ab");
  EXPECT_EQ(Read(*b_), "c");
}

TEST_F(MemoryStreamTest, TheEndComesAfterAllThatWasWrittenAndTheOtherHalfGoesOn) {
  Make({});
  Write(*a_, "last");
  a_->ShutdownWrite();
  loop_.RunUntilIdle();
  EXPECT_EQ(Read(*b_), "last");
  EXPECT_EQ(Read(*b_), "(end)");
  EXPECT_EQ(Write(*b_, "answer").bytes, 6u);
  EXPECT_EQ(Read(*a_), "answer");
}

TEST_F(MemoryStreamTest, ADestroyedEndIsTheEndForTheOtherAndItsWritesFail) {
  Make({});
  Write(*a_, "last");
  a_.reset();
  loop_.RunUntilIdle();
  EXPECT_EQ(Read(*b_), "last");
  EXPECT_EQ(Read(*b_), "(end)");
  EXPECT_THAT(Write(*b_, "x").error, StatusIs(absl::StatusCode::kUnavailable, "write to memory:1: Broken pipe"));
}

TEST_F(MemoryStreamTest, AnEndThatWasToldToFailFails) {
  Make({});
  Write(*a_, "lost");
  b_->FailWith(absl::UnavailableError("reset"));
  EXPECT_EQ(Read(*b_), "(error)");
  EXPECT_EQ(Write(*b_, "x").kind, Kind::kError);
  loop_.RunUntilIdle();
  EXPECT_THAT(on_b_.Take(), ElementsAre("readable", "writable"));
}

TEST_F(MemoryStreamTest, NamesSayWhoIsWho) {
  Make({.first_name = "client", .second_name = "server"});
  EXPECT_EQ(a_->LocalName(), "client");
  EXPECT_EQ(a_->PeerName(), "server");
  EXPECT_EQ(b_->PeerName(), "client");
}

}  // namespace
}  // namespace weir::transport
