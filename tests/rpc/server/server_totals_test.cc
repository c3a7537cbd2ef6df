// What all connections of a server have together. Bytes that wait: beyond the soft ceiling windows shrink, and beyond
// the hard one the connection that holds most ends; the calls of others go on. Calls: one too many is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tests/benchmark/echo_service.h"
#include "weir/rpc/server/dispatcher.h"
#include "weir/rpc/server/server_loop.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/h2/frame_text.h"
#include "weir/transport/io/memory_stream.h"

namespace weir {
namespace {

using ::testing::Contains;
using testing::FakeLoop;
using ::testing::HasSubstr;
using ::testing::Not;
using transport::MemoryStream;

constexpr size_t kStep = mux::LoopMemory::kStepBytes;
constexpr size_t kCallsMax = 40;
constexpr char kHead[] =
    " :method=POST :scheme=http :path=/bench.Echo/Unary :authority=test te=trailers content-type=application/grpc\n";

struct Client {
  std::unique_ptr<MemoryStream> stream;
  transport::FrameTextDecoder received{transport::Role::kServer};
};

class ServerTotalsTest : public ::testing::Test {
 protected:
  ServerTotalsTest() { EXPECT_TRUE(dispatcher_.Add(service_).ok()); }
  ~ServerTotalsTest() override {
    loop_.Post([this] { shard_.StopAll(absl::UnavailableError("over")); });
    loop_.Advance(std::chrono::seconds(2));
  }

  Client Connect(std::string_view settings = "SETTINGS\n", size_t capacity_bytes = 1 << 20) {
    auto [server, client] = transport::MakeMemoryStreamPair(loop_, {.capacity_bytes = capacity_bytes});
    loop_.Post([this, end = std::make_shared<std::unique_ptr<transport::ByteStream>>(std::move(server))] {
      shard_.Add(std::move(*end), "s");
    });
    Client made{.stream = std::move(client)};
    Send(made, "PREFACE\n" + std::string(settings) + "SETTINGS ACK\n");
    return made;
  }
  void Send(Client& client, std::string_view frames) {
    std::string bytes;
    EXPECT_TRUE(transport::EncodeFrameText(frames, &bytes).ok());
    const std::array<std::string_view, 1> pieces = {bytes};
    EXPECT_EQ(client.stream->Write(pieces).bytes, bytes.size());
    loop_.RunUntilIdle();
  }
  // So much of a message of 4 MiB, in steps of 16 KiB.
  void SendPart(Client& client, int parts) {
    Send(client, "HEADERS 1" + std::string(kHead) + "DATA 1 \"\\x00\\x00\\x40\\x00\\x00\"");
    for (int i = 0; i < parts; ++i) Send(client, "DATA 1 zeros:16384");
  }
  std::vector<std::string> Received(Client& client) {
    std::string bytes(1 << 20, '\0');
    bytes.resize(client.stream->Read(bytes).bytes);
    std::vector<std::string> lines;
    client.received.Feed(bytes, &lines);
    return lines;
  }

  FakeLoop loop_;
  bench::EchoServiceImpl service_;
  Dispatcher dispatcher_;
  ServerOptions options_;
  int connections_ = 0;
  ServerTotals totals_{{.soft_bytes = kStep, .hard_bytes = 3 * kStep}, kCallsMax};
  mux::MemoryTotal& memory_ = totals_.memory;
  PeerCounts counts_;
  ServerLoop shard_{loop_,   nullptr, dispatcher_, options_, counts_, [this](int change) { connections_ += change; },
                    &totals_};
};

// A client could stay between the two for ever, at the price of an octet now and then.
TEST_F(ServerTotalsTest, WhatOneClientHoldsBetweenTheCeilingsDoesNotKeepTheCallsOfAnotherFromBeginning) {
  Client greedy = Connect();
  Client other = Connect();
  SendPart(greedy, 9);  // two steps
  EXPECT_EQ(memory_.bytes(), 2 * kStep);
  EXPECT_EQ(memory_.count(mux::MemoryAct::kRationed), 1u);
  Send(other, "HEADERS 1" + std::string(kHead) + "DATA 1 END_STREAM \"\\x00\\x00\\x00\\x00\\x00\"\n");
  EXPECT_THAT(Received(other), Contains(HasSubstr("grpc-status=0")));
  Send(greedy, "RST_STREAM 1 CANCEL");
  EXPECT_EQ(memory_.bytes(), 0u);
}

// Its connections must not end in the place of those that hold the memory.
TEST_F(ServerTotalsTest, ALoopThatHoldsLittleEndsNoConnectionForWhatAnotherHoldsButTellsIt) {
  int told = 0;
  shard_.OnOthersMemory([&told] { ++told; });
  mux::LoopMemory other_loop(memory_);
  other_loop.Change(3 * kStep);
  Client small = Connect();
  SendPart(small, 5);
  EXPECT_TRUE(memory_.over_hard());
  EXPECT_GE(told, 1);
  EXPECT_THAT(Received(small), Not(Contains(HasSubstr("GOAWAY"))));
  EXPECT_EQ(memory_.count(mux::MemoryAct::kEndedByTotal), 0u);
  // The other has done it.
  other_loop.Change(0 - 2 * kStep);
  for (int i = 0; i < 4; ++i) Send(small, "DATA 1 zeros:16384");
  EXPECT_FALSE(memory_.over_hard());
  for (int i = 0; i < 4; ++i) Send(small, "DATA 1 zeros:16384");
  EXPECT_THAT(Received(small), Contains(HasSubstr("(ServerOptions::memory_hard_bytes)")));
  EXPECT_EQ(memory_.count(mux::MemoryAct::kEndedByTotal), 1u);
}

TEST_F(ServerTotalsTest, ALoopThatIsToldEndsItsLargestConnection) {
  Client silent = Connect();
  SendPart(silent, 13);  // three steps
  EXPECT_FALSE(memory_.over_hard());
  mux::LoopMemory other_loop(memory_);
  other_loop.Change(kStep);
  EXPECT_TRUE(memory_.over_hard());
  loop_.Post([this] { shard_.RelieveMemory(); });
  loop_.RunUntilIdle();
  EXPECT_THAT(Received(silent), Contains(HasSubstr("(ServerOptions::memory_hard_bytes)")));
  EXPECT_FALSE(memory_.over_hard());
}

// Calls that wait for their request: by the header table, 15,000 octets of metadata cost their client a few each.
TEST_F(ServerTotalsTest, LargeHeadsOfOpenCallsCount) {
  Client client = Connect();
  const auto open = [&](int id) {
    const std::string head =
        " :method=POST :scheme=http :path=/bench.Echo/Unary :authority=test te=trailers "
        "content-type=application/grpc x=" +
        std::to_string(id) + std::string(15'000, 'x') + "\n";
    Send(client, "HEADERS " + std::to_string(id) + head);
  };
  for (int i = 0; i < 12; ++i) open(1 + 2 * i);
  EXPECT_EQ(memory_.bytes(), 2 * kStep);
  for (int i = 0; i < 12; ++i) Send(client, "RST_STREAM " + std::to_string(1 + 2 * i) + " CANCEL");
  EXPECT_EQ(memory_.bytes(), 0u);
  for (int i = 12; i < 31; ++i) open(1 + 2 * i);
  EXPECT_THAT(Received(client), Contains(HasSubstr("(ServerOptions::memory_hard_bytes)")));
  EXPECT_EQ(memory_.bytes(), 0u);
}

TEST_F(ServerTotalsTest, EachCeilingOfAConnectionIsCounted) {
  options_.connection.memory_soft_bytes = 10'000;
  options_.connection.memory_hard_bytes = 40'000;
  Client client = Connect();
  SendPart(client, 1);
  EXPECT_EQ(memory_.count(mux::MemoryAct::kRationed), 1u);
  Send(client, "DATA 1 zeros:16384");
  EXPECT_EQ(memory_.count(mux::MemoryAct::kEndedByConnection), 0u);
  Send(client, "DATA 1 zeros:16384");
  EXPECT_EQ(memory_.count(mux::MemoryAct::kEndedByConnection), 1u);
  EXPECT_EQ(memory_.count(mux::MemoryAct::kRationed), 1u);
  EXPECT_EQ(memory_.count(mux::MemoryAct::kEndedByTotal), 0u);
}

// Otherwise a client that takes nothing keeps a CPU busy. (Work that keeps itself alive ends the process here.)
TEST_F(ServerTotalsTest, ARationedConnectionWhoseSocketIsFullLetsTheLoopRest) {
  options_.connection.memory_soft_bytes = 1000;
  Client client = Connect("SETTINGS\n", /*capacity_bytes=*/16 * 1024);
  for (const std::string id : {"1", "3"}) {
    // An echo of 12 KiB.
    Send(client, "HEADERS " + id + std::string(kHead) + "DATA " + id +
                     " \"\\x00\\x00\\x00\\x30\\x00\\x0a\\xfd\\x5f\"\n" + "DATA " + id + " END_STREAM zeros:12285");
  }
  EXPECT_EQ(memory_.count(mux::MemoryAct::kRationed), 1u);
  EXPECT_TRUE(loop_.idle());
}

TEST_F(ServerTotalsTest, BeyondTheHardCeilingTheConnectionThatHoldsMostEnds) {
  Client small = Connect();
  Client large = Connect();
  SendPart(small, 3);
  SendPart(large, 9);
  EXPECT_EQ(memory_.bytes(), 3 * kStep);
  EXPECT_THAT(Received(large), Not(Contains(HasSubstr("GOAWAY"))));
  Send(small, "DATA 1 zeros:16384\nDATA 1 zeros:16384\nDATA 1 zeros:16384\nDATA 1 zeros:16384");
  EXPECT_THAT(Received(large), Contains(HasSubstr("(ServerOptions::memory_hard_bytes)")));
  EXPECT_THAT(Received(small), Not(Contains(HasSubstr("GOAWAY"))));
  EXPECT_EQ(memory_.count(mux::MemoryAct::kEndedByTotal), 1u);
  EXPECT_EQ(memory_.count(mux::MemoryAct::kEndedByConnection), 0u);
  loop_.Advance(std::chrono::seconds(2));
  EXPECT_EQ(connections_, 1);
}

// Nor for what has been cut into frames and waits for its socket: others would have to go for that.
TEST_F(ServerTotalsTest, AConnectionThatWasEndedHoldsNothingAnyMore) {
  Client client = Connect("SETTINGS INITIAL_WINDOW_SIZE=0\nWINDOW_UPDATE 0 1000000\n", /*capacity_bytes=*/60'000);
  for (const std::string id : {"1", "3", "5"}) {
    // An echo of 64 KiB.
    Send(client,
         "HEADERS " + id + std::string(kHead) + "DATA " + id + " \"\\x00\\x00\\x00\\xff\\xff\\x0a\\xfb\\xff\\x03\"\n");
    for (int i = 0; i < 3; ++i) Send(client, "DATA " + id + " zeros:16384");
    Send(client, "DATA " + id + " END_STREAM zeros:16379");
  }
  Send(client, "SETTINGS INITIAL_WINDOW_SIZE=1000000");
  EXPECT_EQ(memory_.bytes(), 2 * kStep);
  for (const std::string id : {"7", "9", "11"}) {
    Send(client, "HEADERS " + id + std::string(kHead) + "DATA " + id + " \"\\x00\\x00\\x40\\x00\\x00\"");
    for (int i = 0; i < 3; ++i) Send(client, "DATA " + id + " zeros:16384");
  }
  EXPECT_EQ(memory_.count(mux::MemoryAct::kEndedByTotal), 1u);
  EXPECT_EQ(memory_.bytes(), 0u);
}

// Until its last frames are written the connection is still there, but what it held is not.
TEST_F(ServerTotalsTest, OnlyAsManyConnectionsEndAsMust) {
  Client large = Connect(/*settings=*/"SETTINGS INITIAL_WINDOW_SIZE=0\n");
  Client small = Connect();
  SendPart(small, 0);
  for (const std::string id : {"1", "3"}) {
    // An echo of 64 KiB, which the client does not take.
    Send(large,
         "HEADERS " + id + std::string(kHead) + "DATA " + id + " \"\\x00\\x00\\x00\\xff\\xff\\x0a\\xfb\\xff\\x03\"\n");
    for (int i = 0; i < 3; ++i) Send(large, "DATA " + id + " zeros:16384");
    Send(large, "DATA " + id + " END_STREAM zeros:16379");
  }
  EXPECT_EQ(memory_.bytes(), 2 * kStep);
  for (int i = 0; i < 7; ++i) Send(small, "DATA 1 zeros:16384");
  EXPECT_EQ(memory_.bytes(), 3 * kStep);
  EXPECT_THAT(Received(large), Not(Contains(HasSubstr("GOAWAY"))));
  Send(small, "DATA 1 zeros:16384");
  EXPECT_THAT(Received(large), Contains(HasSubstr("(ServerOptions::memory_hard_bytes)")));
  EXPECT_EQ(memory_.bytes(), 2 * kStep);
  Send(small, "DATA 1 zeros:16384");
  EXPECT_EQ(memory_.count(mux::MemoryAct::kEndedByTotal), 1u);
  EXPECT_THAT(Received(small), Not(Contains(HasSubstr("GOAWAY"))));
}

// ---- calls ----------------------------------------------------------------------------------------------------------

TEST_F(ServerTotalsTest, OneCallMoreThanTheServerMayHaveIsRefusedUnprocessedWhicheverConnectionItComesOn) {
  Client one = Connect();
  Client other = Connect();
  const auto open = [&](Client& client, int id) { Send(client, "HEADERS " + std::to_string(id) + kHead); };
  for (int id = 1; id < 2 * 25; id += 2) open(one, id);
  for (int id = 1; id < 2 * 15; id += 2) open(other, id);
  EXPECT_EQ(totals_.calls.count(), kCallsMax);
  EXPECT_EQ(totals_.calls.refused_count(), 0u);
  open(one, 51);
  open(other, 31);
  EXPECT_THAT(Received(one), Contains("RST_STREAM 51 REFUSED_STREAM"));
  EXPECT_THAT(Received(other), Contains("RST_STREAM 31 REFUSED_STREAM"));
  EXPECT_EQ(totals_.calls.refused_count(), 2u);
  Send(one, "RST_STREAM 1 CANCEL");
  EXPECT_EQ(totals_.calls.count(), kCallsMax - 1);
  open(other, 33);
  EXPECT_EQ(totals_.calls.refused_count(), 2u);
}

TEST_F(ServerTotalsTest, CallsThatEndMakeRoom) {
  Client client = Connect();
  for (int i = 0; i < 100; ++i) {
    const std::string id = std::to_string(2 * i + 1);
    Send(client, "HEADERS " + id + kHead + "DATA " + id + " END_STREAM \"\\x00\\x00\\x00\\x00\\x00\"\n");
  }
  EXPECT_EQ(totals_.calls.count(), 0u);
  EXPECT_EQ(totals_.calls.refused_count(), 0u);
}

}  // namespace
}  // namespace weir
