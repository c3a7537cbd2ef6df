// What a peer can make a connection do for nothing, and where that ends: each budget of H2Options one below its limit,
// at it, and one above.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/tests/support/frame_script.h"
#include "weir/transport/h2/closed_streams.h"
#include "weir/transport/h2/token_bucket.h"

namespace weir::transport {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::weir::testing::ClientOptions;
using ::weir::testing::Cuts;
using ::weir::testing::Frames;
using ::weir::testing::ScriptedConnection;
using ::weir::testing::ServerOptions;

constexpr char kPost[] = " :method=POST :scheme=http :path=/a :authority=x";

std::string Repeat(std::string_view frames, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += std::string(frames) + "\n";
  return out;
}
std::string Stream(StreamId id, const std::string& flags = "") {
  return "HEADERS " + std::to_string(id) + flags + kPost;
}

// A connection that the handshake has been made on. Reads frames and pulls what is written after each step.
class Peer {
 public:
  explicit Peer(const H2Options& options, Cuts cuts = Cuts::Whole()) : cuts_(cuts), scripted_(options) {
    connection().InitiateConnection();
    scripted_.TakeWritten();
    Cuts whole = Cuts::Whole();
    const bool server = options.role == Role::kServer;
    scripted_.Receive(Frames(std::string(server ? "PREFACE\n" : "") + "SETTINGS\nSETTINGS ACK"), &whole);
    scripted_.TakeWritten();
    scripted_.TakeEvents();
  }

  H2Connection& connection() { return scripted_.connection(); }
  const H2Counters& counters() { return connection().counters(); }

  void Send(const std::string& frames) {
    scripted_.Receive(Frames(frames), &cuts_);
    for (const std::string& event : scripted_.TakeEvents()) {
      if (event.starts_with("ConnectionError ")) error_ = event;
    }
  }
  std::optional<H2Limit> limit() const { return scripted_.limit(); }
  void Read() {
    for (std::string& line : scripted_.TakeWritten()) last_written_ = std::move(line);
  }
  void Wait(milliseconds time) {
    now_ += time;
    connection().AdvanceTime(now_);
  }

  // The event that ended the connection; empty: it goes on.
  const std::string& error() const { return error_; }
  const std::string& last_written() const { return last_written_; }

 private:
  Cuts cuts_;
  ScriptedConnection scripted_;
  MonotonicTime now_{seconds(1000)};
  std::string error_;
  std::string last_written_;
};

// The connection is over; `reason` is in the event and, unless `debug_data` says otherwise, in the GOAWAY.
void ExpectEnd(Peer& peer, const std::string& reason, const std::string& debug_data = "") {
  peer.Read();
  EXPECT_TRUE(peer.error().starts_with("ConnectionError ENHANCE_YOUR_CALM \"" + reason)) << peer.error();
  const std::string said = debug_data.empty() ? reason : debug_data;
  EXPECT_NE(peer.last_written().find(" ENHANCE_YOUR_CALM \"" + said), std::string::npos) << peer.last_written();
  EXPECT_TRUE(peer.last_written().starts_with("GOAWAY last=")) << peer.last_written();
  EXPECT_TRUE(peer.connection().IsFinished());
  ASSERT_TRUE(peer.limit().has_value());
  EXPECT_NE(peer.error().find(ToString(*peer.limit())), std::string::npos) << ToString(*peer.limit());
}

// ---- budgets that frames alone use up ------------------------------------------------------------------------------

struct Budget {
  std::string name;
  std::function<void(H2Options*)> set;     // the limit
  std::string before;                      // sent first
  std::function<std::string(int)> frames;  // that use it up `n` times
  int limit;
  std::function<uint64_t(const H2Counters&)> count;
  std::string reason;  // beginning of the event's
  std::string debug_data;
  int requests = 0;  // client: sent first
};

std::vector<Budget> ServerBudgets() {
  const std::string open = Stream(1) + "\n";
  return {
      {"SETTINGS",
       [](H2Options* o) {
         o->settings = {6, 0};
       },  // one was in the handshake
       "", [](int n) { return Repeat("SETTINGS MAX_FRAME_SIZE=16384", n); }, 5,
       [](const H2Counters& c) { return c.settings - 1; },
       "SETTINGS: expected at most 6 at once and 0 per second (H2Options::settings), got more"},
      {"PING",
       [](H2Options* o) {
         o->pings = {5, 0};
       },
       "", [](int n) { return Repeat("PING 0000000000000000", n); }, 5, [](const H2Counters& c) { return c.pings; },
       "PING: expected at most 5 at once and 0 per second (H2Options::pings), got more", "too_many_pings"},
      {"PRIORITY without a stream", [](H2Options* o) { o->priorities_per_stream = 5; }, "",
       [](int n) { return Repeat("PRIORITY 1 0:16", n); }, 5, [](const H2Counters& c) { return c.priorities; },
       "PRIORITY: expected at most 5 per stream (H2Options::priorities_per_stream), got 6 for 0 streams"},
      {"PRIORITY_UPDATE with a stream", [](H2Options* o) { o->priorities_per_stream = 5; }, open,
       [](int n) { return Repeat("FRAME type=0x10 stream=0 hex:0000000175", n); }, 10,
       [](const H2Counters& c) { return c.priorities; },
       "PRIORITY: expected at most 5 per stream (H2Options::priorities_per_stream), got 11 for 1 streams"},
      {"WINDOW_UPDATE", [](H2Options*) {}, open, [](int n) { return Repeat("WINDOW_UPDATE 0 1", n); }, 7,
       [](const H2Counters& c) { return c.window_updates; },
       "WINDOW_UPDATE: expected at most 5 + 2 x (streams + 10 x DATA frames sent) "
       "(H2Options::window_updates_per_data_frame), got 8 for 1 streams and 0 DATA frames"},
      {"empty DATA in a row", [](H2Options* o) { o->empty_data_in_a_row_max = 5; }, open,
       [](int n) { return Repeat("DATA 1", n); }, 5, [](const H2Counters& c) { return c.empty_data; },
       "DATA without payload: expected at most 5 in a row (H2Options::empty_data_in_a_row_max), got more"},
      {"empty DATA in all",
       [](H2Options* o) {
         o->empty_data = {5, 0};
       },
       open, [](int n) { return Repeat("DATA 1\nDATA 1 \"large enough\"", n); }, 5,
       [](const H2Counters& c) { return c.empty_data; },
       "DATA without payload: expected at most 5 at once and 0 per second (H2Options::empty_data), got more"},
      {"DATA of padding only, in a row", [](H2Options* o) { o->empty_data_in_a_row_max = 5; }, open,
       [](int n) { return Repeat("FRAME type=0x00 flags=0x08 stream=1 hex:050000000000", n); }, 5,
       [](const H2Counters& c) { return c.empty_data; },
       "DATA without payload: expected at most 5 in a row (H2Options::empty_data_in_a_row_max), got more"},
      {"DATA of padding only, in all",
       [](H2Options* o) {
         o->empty_data = {5, 0};
       },
       open,
       [](int n) {
         return Repeat(
             "FRAME type=0x00 flags=0x08 stream=1 hex:00\nFRAME type=0x00 flags=0x08 stream=1 hex:01666976657300", n);
       },
       5, [](const H2Counters& c) { return c.empty_data; },
       "DATA without payload: expected at most 5 at once and 0 per second (H2Options::empty_data), got more"},
      {"small DATA with padding",
       [](H2Options* o) {
         o->small_data = {5, 0};
       },
       open, [](int n) { return Repeat("FRAME type=0x00 flags=0x08 stream=1 hex:06666f7572000000000000", n); }, 5,
       [](const H2Counters& c) { return c.small_data; },
       "DATA with fewer than 5 octets: expected at most 5 at once and 0 per second (H2Options::small_data), got more"},
      {"small DATA",
       [](H2Options* o) {
         o->small_data = {5, 0};
       },
       open, [](int n) { return Repeat("DATA 1 \"four\"\nDATA 1 \"fives\"", n); }, 5,
       [](const H2Counters& c) { return c.small_data; },
       "DATA with fewer than 5 octets: expected at most 5 at once and 0 per second (H2Options::small_data), got more"},
      {"unknown frames",
       [](H2Options* o) {
         o->unknown_frames = {5, 0};
       },
       "", [](int n) { return Repeat("FRAME type=0xbe stream=1 hex:00", n); }, 5,
       [](const H2Counters& c) { return c.unknown; },
       "frames that we ignore (unknown types, GOAWAY): expected at most 5 at once and 0 per second "
       "(H2Options::unknown_frames), got more"},
      {"PING ACK to no PING",
       [](H2Options* o) {
         o->unknown_frames = {5, 0};
       },
       "", [](int n) { return Repeat("PING ACK 0000000000000000", n); }, 5,
       [](const H2Counters& c) { return c.unknown; },
       "frames that we ignore (PING ACK to no PING): expected at most 5 at once and 0 per second "
       "(H2Options::unknown_frames), got more"},
      {"GOAWAY",
       [](H2Options* o) {
         o->unknown_frames = {5, 0};
       },
       "", [](int n) { return Repeat("GOAWAY last=0 NO_ERROR", n); }, 5, [](const H2Counters& c) { return c.unknown; },
       "frames that we ignore (unknown types, GOAWAY): expected at most 5 at once and 0 per second "
       "(H2Options::unknown_frames), got more"},
      {"RST_STREAM",
       [](H2Options* o) {
         o->resets = {5, 0};
       },
       open, [](int n) { return Repeat("RST_STREAM 1 CANCEL", n); }, 5, [](const H2Counters& c) { return c.resets; },
       "RST_STREAM: expected at most 5 at once and 0 per second (H2Options::resets), got more"},
      {"malformed requests",
       [](H2Options* o) {
         o->glitches = {5, 0};
       },
       "",
       [](int n) {
         std::string frames;
         for (int i = 0; i < n; ++i) frames += "HEADERS " + std::to_string(2 * i + 1) + " END_STREAM a=b\n";
         return frames;
       },
       5, [](const H2Counters& c) { return c.glitches; },
       "errors of streams: expected at most 5 at once and 0 per second (H2Options::glitches), got more"},
      {"bodies that are longer than announced",
       [](H2Options* o) {
         o->glitches = {5, 0};
       },
       "",
       [](int n) {
         std::string frames;
         for (int i = 0; i < n; ++i) {
           const std::string id = std::to_string(2 * i + 1);
           frames += "HEADERS " + id + kPost + " content-length=1\nDATA " + id + " \"longer\"\n";
         }
         return frames;
       },
       5, [](const H2Counters& c) { return c.glitches; },
       "errors of streams: expected at most 5 at once and 0 per second (H2Options::glitches), got more"},
      {"windows of streams that overflow",
       [](H2Options* o) {
         o->glitches = {5, 0};
       },
       "",
       [](int n) {
         std::string frames;
         for (int i = 0; i < n; ++i) {
           frames += Stream(2 * i + 1) + "\nWINDOW_UPDATE " + std::to_string(2 * i + 1) + " 2147483647\n";
         }
         return frames;
       },
       5, [](const H2Counters& c) { return c.glitches; },
       "errors of streams: expected at most 5 at once and 0 per second (H2Options::glitches), got more"},
      {"DATA after the peer's own RST_STREAM",
       [](H2Options* o) {
         o->glitches = {5, 0};
       },
       "",
       [](int n) {
         std::string frames;
         for (int i = 0; i < n; ++i) {
           const std::string id = std::to_string(2 * i + 1);
           frames += Stream(2 * i + 1) + "\nRST_STREAM " + id + " CANCEL\nDATA " + id + " \"late.\"\n";
         }
         return frames;
       },
       5, [](const H2Counters& c) { return c.glitches; },
       "errors of streams: expected at most 5 at once and 0 per second (H2Options::glitches), got more"},
  };
}

void ExpectLimit(const Budget& budget, H2Options options) {
  budget.set(&options);
  for (int times : {budget.limit - 1, budget.limit, budget.limit + 1}) {
    for (const Cuts& cuts : Cuts::All()) {
      SCOPED_TRACE(budget.name + ", " + std::to_string(times) + " times, " + cuts.ToString());
      Peer peer(options, cuts);
      if (!budget.before.empty()) peer.Send(budget.before);
      for (int i = 0; i < budget.requests; ++i) {
        ASSERT_TRUE(peer.connection()
                        .SendRequestHeaders({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}, EndStream::kYes)
                        .ok());
      }
      peer.Read();
      peer.Send(budget.frames(times));
      EXPECT_EQ(budget.count(peer.counters()), static_cast<uint64_t>(times));
      if (times <= budget.limit) {
        EXPECT_EQ(peer.error(), "");
      } else {
        ExpectEnd(peer, budget.reason, budget.debug_data);
      }
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(BudgetTest, AServerEndsTheConnectionBeyondEachBudgetAndNamesItsOption) {
  for (const Budget& budget : ServerBudgets()) ExpectLimit(budget, ServerOptions());
}

TEST(BudgetTest, AClientDefendsItselfLikewise) {
  for (Budget& budget : ServerBudgets()) {
    // Those that need no stream of the peer's and are no right of a server.
    const bool fits = budget.before.empty() && budget.frames(1).find("HEADERS") == std::string::npos;
    if (fits) ExpectLimit(budget, ClientOptions());
  }
  ExpectLimit({"malformed responses",
               [](H2Options* o) {
                 o->glitches = {5, 0};
               },
               "",
               [](int n) {
                 std::string frames;
                 for (int i = 0; i < n; ++i) frames += "HEADERS " + std::to_string(2 * i + 1) + " END_STREAM a=b\n";
                 return frames;
               },
               5, [](const H2Counters& c) { return c.glitches; },
               "errors of streams: expected at most 5 at once and 0 per second (H2Options::glitches), got more", "", 6},
              ClientOptions());
  ExpectLimit({"resets of streams that have been reset",
               [](H2Options* o) {
                 o->unknown_frames = {3, 0};
               },
               "", [](int n) { return Repeat("RST_STREAM 1 CANCEL", n); }, 5,  // two streams, and three more
               [](const H2Counters& c) { return c.resets; },
               "RST_STREAM beyond one for each stream: expected at most 3 at once and 0 per second "
               "(H2Options::unknown_frames), got more",
               "", 2},
              ClientOptions());
}

// Of a call that is over, whoever has ended it: the engine ignores them, and decodes their blocks.
TEST(BudgetTest, AClientIsNotSentFramesForCallsThatAreOver) {
  for (const std::string end :
       {"HEADERS 1 END_STREAM :status=200", "HEADERS 1 :status=200\nDATA 1 END_STREAM \"fives\"",
        "HEADERS 1 :status=200\nHEADERS 1 END_STREAM a=b", "RST_STREAM 1 CANCEL"}) {
    for (const std::string frame : {"HEADERS 1 a=b", "HEADERS 1 END_STREAM a=b", "DATA 1 \"late.\""}) {
      ExpectLimit({end + ", then " + frame,
                   [](H2Options* o) {
                     o->small_data = {5, 0};
                   },
                   "", [&](int n) { return end + "\n" + Repeat(frame, n); }, 5,
                   [](const H2Counters& c) { return c.small_data; },
                   "frames for streams that are over: expected at most 5 at once and 0 per second "
                   "(H2Options::small_data), got more",
                   "", 2},
                  ClientOptions());
    }
  }
}

TEST(BudgetTest, ContinuationFramesAreCountedExactlyHoweverTheyAreCut) {
  for (int count : {3, 4, 5}) {
    for (const Cuts& cuts : Cuts::All()) {
      SCOPED_TRACE(std::to_string(count) + " frames, " + cuts.ToString());
      Peer peer(ServerOptions(), cuts);
      peer.Send(Stream(1, " END_STREAM NO_END_HEADERS") + "\n" + Repeat("CONTINUATION 1", count - 1) +
                "CONTINUATION 1 END_HEADERS");
      if (count <= 4) {
        EXPECT_EQ(peer.error(), "");
        EXPECT_EQ(peer.connection().ActiveStreamCount(), 1u);
      } else {
        ExpectEnd(
            peer,
            "header block: expected at most 4 CONTINUATION frames (H2Options::continuation_frames_max), got more");
        EXPECT_EQ(peer.connection().ActiveStreamCount(), 0u);
      }
    }
  }
}

// ---- budgets that depend on what we do -----------------------------------------------------------------------------

TEST(BudgetTest, UnreadAcknowledgementsAreLimitedAndReadOnesAreNot) {
  H2Options options = ServerOptions();
  options.unread_acks_max = 5;
  for (int unread : {4, 5, 6}) {
    Peer peer(options);
    peer.Send(Repeat("PING 0000000000000000", unread));
    EXPECT_EQ(peer.error().empty(), unread < 6) << peer.error();
    if (unread == 6) {
      ExpectEnd(peer,
                "PING and SETTINGS: expected the peer to read our answers, 5 of them wait unread "
                "(H2Options::unread_acks_max)");
    }
  }
  Peer reads(options);
  for (int i = 0; i < 50; ++i) {
    reads.Send("PING 0000000000000000");
    reads.Read();
  }
  EXPECT_EQ(reads.error(), "");
}

TEST(BudgetTest, QueuedControlFramesAreLimitedUnlessThePeerReads) {
  H2Options options = ServerOptions();
  options.queued_control_frames_max = 5;
  for (int unread : {4, 5, 6}) {
    Peer peer(options);
    for (int i = 0; i < unread; ++i) peer.Send("HEADERS " + std::to_string(2 * i + 1) + " END_STREAM a=b");
    EXPECT_EQ(peer.error().empty(), unread < 6) << peer.error();
    if (unread == 6)
      ExpectEnd(peer,
                "peer: expected it to read; 6 resets, window updates and the like wait, more than "
                "H2Options::queued_control_frames_max (5)");
  }
  Peer reads(options);
  for (int i = 0; i < 50; ++i) {
    reads.Send("HEADERS " + std::to_string(2 * i + 1) + " END_STREAM a=b");
    reads.Read();
  }
  EXPECT_EQ(reads.error(), "");
}

std::string Malformed(StreamId id) { return "HEADERS " + std::to_string(id) + " END_STREAM a=b"; }

void Request(Peer& peer) {
  ASSERT_TRUE(peer.connection()
                  .SendRequestHeaders({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}}, EndStream::kNo)
                  .ok());
}

TEST(BudgetTest, ResetsThatWeWantAreNotThePeersFault) {
  for (H2Options options : {ServerOptions(), ClientOptions()}) {
    options.queued_control_frames_max = 5;
    Peer peer(options);
    for (int i = 0; i < 10; ++i) {
      options.role == Role::kServer ? peer.Send(Stream(2 * i + 1)) : Request(peer);
    }
    if (options.role == Role::kClient) Request(peer);
    peer.Read();
    for (int i = 0; i < 10; ++i) peer.connection().ResetStream(2 * i + 1, ErrorCode::kCancel);
    peer.Send(Malformed(21));  // what the engine has queued is looked at
    EXPECT_EQ(peer.error(), "");
    peer.Read();
    EXPECT_FALSE(peer.connection().IsFinished());
    EXPECT_TRUE(peer.last_written().starts_with("RST_STREAM 21")) << peer.last_written();
  }
}

TEST(BudgetTest, AcknowledgementsThatWaitBehindResetsCountWithThem) {
  H2Options options = ServerOptions();
  options.queued_control_frames_max = 5;
  Peer peer(options);
  for (int i = 0; i < 2; ++i) peer.Send("PING 0000000000000000\n" + Malformed(2 * i + 1));
  EXPECT_EQ(peer.error(), "");
  peer.Send("PING 0000000000000000\n" + Malformed(5));
  ExpectEnd(peer, "peer: expected it to read; 6 resets, window updates and the like wait");
}

TEST(BudgetTest, AResetThatCrossesOursIsNoGlitch) {
  for (H2Options options : {ServerOptions(), ClientOptions()}) {
    options.glitches = {0, 0};
    Peer peer(options);
    options.role == Role::kServer ? peer.Send(Stream(1)) : Request(peer);
    peer.Read();
    peer.connection().ResetStream(1, ErrorCode::kCancel);
    peer.connection().RemoveStream(1);
    peer.Send("RST_STREAM 1 CANCEL");
    peer.Read();
    peer.Send("PING 0000000000000000");
    EXPECT_EQ(peer.counters().glitches, 0u);
    EXPECT_EQ(peer.error(), "");
  }
}

// Nobody knows any more whether their streams were reset or never opened: they count as late.
TEST(BudgetTest, FramesForStreamsThatAreForgottenAreChargedAsLateOnes) {
  H2Options options = ServerOptions();
  options.early_reset_streams_min = 10'000;
  options.small_data = {5, 0};
  for (int late : {5, 6}) {
    Peer peer(options);
    for (int i = 1; i <= static_cast<int>(ClosedStreams::kRemembered) + 1; ++i) {
      peer.Send(Stream(4 * i + 1, " END_STREAM") + "\nRST_STREAM " + std::to_string(4 * i + 1) + " CANCEL");
      peer.Read();
    }
    peer.Send(Repeat("DATA 3 \"12345\"", late));
    EXPECT_EQ(peer.counters().small_data, static_cast<uint64_t>(late));
    EXPECT_EQ(peer.error().empty(), late == 5) << peer.error();
  }
}

// Before it knows our SETTINGS a client may open too many streams: the engine refuses them.
TEST(BudgetTest, StreamsThatAreRefusedAreGlitches) {
  H2Options options = ServerOptions();
  options.max_concurrent_streams = 1;
  options.glitches = {5, 0};
  for (int refused : {5, 6}) {
    ScriptedConnection server(options);
    server.connection().InitiateConnection();
    std::string frames = "PREFACE\nSETTINGS\n";
    for (int i = 0; i <= refused; ++i) frames += Stream(2 * i + 1) + "\n";
    Cuts whole = Cuts::Whole();
    server.Receive(Frames(frames), &whole);
    server.TakeWritten();
    EXPECT_EQ(server.connection().counters().glitches, static_cast<uint64_t>(refused));
    EXPECT_EQ(server.connection().IsFinished(), refused == 6);
  }
}

TEST(BudgetTest, AsManyInterimResponsesAsTheOptionCanSayAreLimitedToo) {
  H2Options options = ClientOptions();
  options.interim_responses_max = 255;
  for (int interim : {255, 256}) {
    Peer peer(options);
    Request(peer);
    peer.Read();
    peer.Send(Repeat("HEADERS 1 :status=103", interim));
    EXPECT_EQ(peer.counters().glitches, interim == 256 ? 1u : 0u);
  }
}

// The heads that leave close their streams, and so make room for more.
TEST(BudgetTest, ResponsesThatAPeerDoesNotReadKeepTheirStreamsOpen) {
  H2Options options = ServerOptions();
  options.queued_control_frames_max = 10'000;
  options.max_concurrent_streams = 1'000;
  Peer peer(options);
  const std::string message(4000, 'm');
  for (int i = 0; i < 400; ++i) {
    const StreamId id = 4 * i + 1;
    peer.Send(Stream(id, " END_STREAM"));
    ASSERT_TRUE(peer.connection().SendResponseHeaders(id, 200, {{"grpc-message", message}}, EndStream::kYes).ok());
    peer.Send(Malformed(id + 2));
  }
  EXPECT_EQ(peer.error(), "");
  std::vector<H2Event> events;
  OutputBuffer early;
  peer.connection().DataToSend(1, &early, &events);
  EXPECT_GT(early.size(), 200u << 10);
  EXPECT_LT(early.size(), 270u << 10) << "pulled before they were asked for";
  peer.Read();
  EXPECT_TRUE(peer.last_written().starts_with("RST_STREAM 1599 ")) << peer.last_written();
  EXPECT_EQ(peer.counters().glitches, 400u);
}

TEST(BudgetTest, DataThatWeSendPaysForWindowUpdatesAndPings) {
  H2Options options = ServerOptions();
  options.pings = {1, 0};
  Peer peer(options);
  peer.Send(Stream(1));
  ASSERT_TRUE(peer.connection().SendResponseHeaders(1, 200, {}, EndStream::kNo).ok());
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(peer.connection().SendData(1, "x", EndStream::kNo), 1u);
    peer.Read();
    peer.Send(Repeat("WINDOW_UPDATE 0 1\nWINDOW_UPDATE 1 1", 10) + "PING 0000000000000000");
    peer.Read();
    ASSERT_EQ(peer.error(), "");
  }
  peer.Send("PING 0000000000000000");
  EXPECT_EQ(peer.error(), "") << "the one that is free";
  peer.Send("PING 0000000000000000");
  ExpectEnd(peer, "PING: expected at most 1", "too_many_pings");
}

TEST(BudgetTest, AnswersToOurPingsAreFree) {
  H2Options options = ServerOptions();
  options.unknown_frames = {0, 0};
  Peer peer(options);
  for (int i = 0; i < 3; ++i) peer.connection().SendPing(7);
  peer.Read();
  peer.Send(Repeat("PING ACK 0000000000000007", 3));
  EXPECT_EQ(peer.error(), "");
  peer.Send("PING ACK 0000000000000007");
  ExpectEnd(peer, "frames that we ignore (PING ACK to no PING)");
}

TEST(BudgetTest, FramesUnderWayWhenWeResetAStreamAreNoGlitchesButAreLimitedToo) {
  H2Options options = ServerOptions();
  options.glitches = {0, 0};
  options.small_data = {5, 0};
  for (int late : {4, 5, 6}) {
    for (const Cuts& cuts : Cuts::All()) {
      Peer peer(options, cuts);
      peer.Send(Stream(1));
      peer.connection().ResetStream(1, ErrorCode::kCancel);
      peer.Read();
      peer.Send(Repeat("DATA 1 \"late.\"", late));
      EXPECT_EQ(peer.counters().glitches, 0u);
      EXPECT_EQ(peer.error().empty(), late < 6) << peer.error();
      if (late == 6) ExpectEnd(peer, "frames for streams that are over: expected at most 5 at once");
    }
  }
}

// The peer does not know of it: these are under way. If it does not read our output, they are no less charged.
TEST(BudgetTest, FramesForAStreamWhoseResetHasNotLeftAreLimited) {
  for (H2Options options : {ServerOptions(), ClientOptions()}) {
    options.glitches = {0, 0};
    options.small_data = {5, 0};
    for (int late : {4, 5, 6}) {
      for (const Cuts& cuts : Cuts::All()) {
        Peer peer(options, cuts);
        options.role == Role::kServer ? peer.Send(Stream(1)) : Request(peer);
        peer.Read();
        peer.connection().ResetStream(1, ErrorCode::kCancel);
        peer.Send(Repeat("DATA 1 \"late.\"", late));
        EXPECT_EQ(peer.counters().glitches, 0u);
        EXPECT_EQ(peer.error().empty(), late < 6) << peer.error();
        if (late == 6) ExpectEnd(peer, "frames for streams that are over: expected at most 5 at once");
      }
    }
  }
}

// What a server had sent when our reset reached it, and the end of a call that we have given up.
TEST(BudgetTest, AClientsResetCallMayStillBeAnswered) {
  H2Options options = ClientOptions();
  options.glitches = {0, 0};
  Peer peer(options);
  Request(peer);
  peer.Read();
  peer.connection().ResetStream(1, ErrorCode::kCancel);
  peer.connection().RemoveStream(1);
  peer.Read();
  peer.Send("HEADERS 1 :status=200\nDATA 1 \"hello\"\nHEADERS 1 END_STREAM grpc-status=0\nRST_STREAM 1 NO_ERROR");
  EXPECT_EQ(peer.error(), "");
  EXPECT_EQ(peer.counters().small_data, 3u);
  Request(peer);
  peer.Read();
  EXPECT_FALSE(peer.connection().IsFinished());
}

// ---- rapid reset ---------------------------------------------------------------------------------------------------

H2Options EarlyResets() {
  H2Options options = ServerOptions();
  options.early_reset_streams_min = 10;
  return options;
}

// Opens stream after stream; the first `resets` are reset at once.
void OpenAndReset(Peer& peer, int streams, int resets) {
  for (int i = 0; i < streams; ++i) {
    const StreamId id = 2 * i + 1;
    peer.Send(Stream(id));
    if (i >= streams - resets) peer.Send("RST_STREAM " + std::to_string(id) + " CANCEL");
  }
}

TEST(RapidResetTest, MoreThanHalfOfTenStreamsResetBeforeAResponseEndTheConnection) {
  for (int resets : {4, 5, 6}) {
    Peer peer(EarlyResets());
    OpenAndReset(peer, 10, resets);
    EXPECT_EQ(peer.counters().early_resets, static_cast<uint64_t>(resets));
    EXPECT_EQ(peer.error().empty(), resets < 6) << peer.error();
    if (resets == 6) {
      ExpectEnd(peer,
                "RST_STREAM before a response: expected for at most 50 % of the streams "
                "(H2Options::early_reset_percent_max), got 6 of 10",
                "too_many_resets");
    }
  }
}

TEST(RapidResetTest, FewStreamsProveNothing) {
  Peer peer(EarlyResets());
  OpenAndReset(peer, 9, 9);
  EXPECT_EQ(peer.error(), "");
}

TEST(RapidResetTest, WithinASecondIsWithinIt) {
  for (int age : {999, 1000, 1001}) {
    Peer peer(EarlyResets());
    peer.Wait(milliseconds(0));
    peer.Send(Stream(1));
    peer.Wait(milliseconds(age));
    peer.Send("RST_STREAM 1 CANCEL");
    EXPECT_EQ(peer.counters().early_resets, age <= 1000 ? 1u : 0u);
  }
}

TEST(RapidResetTest, AResetAfterASecondOrAfterAResponseIsNotEarly) {
  Peer peer(EarlyResets());
  for (int i = 0; i < 100; ++i) {
    const StreamId id = 2 * i + 1;
    peer.Send(Stream(id));
    if (i % 2 == 0) {
      ASSERT_TRUE(peer.connection().SendResponseHeaders(id, 200, {}, EndStream::kNo).ok());
      peer.Read();
    } else {
      peer.Wait(milliseconds(1001));
    }
    peer.Send("RST_STREAM " + std::to_string(id) + " CANCEL");
  }
  EXPECT_EQ(peer.error(), "");
  EXPECT_EQ(peer.counters().early_resets, 0u);
  EXPECT_EQ(peer.counters().resets, 100u);
}

TEST(RapidResetTest, APastOfGoodCallsIsForgotten) {
  Peer peer(EarlyResets());
  for (int i = 0; i < 200; ++i) peer.Send(Stream(2 * i + 1));
  int resets = 0;
  for (; resets < 40 && peer.error().empty(); ++resets) {
    const StreamId id = 2 * (200 + resets) + 1;
    peer.Send(Stream(id) + "\nRST_STREAM " + std::to_string(id) + " CANCEL");
  }
  EXPECT_LE(resets, 20) << "not two hundred";
}

// ---- time ----------------------------------------------------------------------------------------------------------

TEST(BudgetTest, BudgetsRefillAsTimePasses) {
  H2Options options = ServerOptions();
  options.pings = {5, 2};
  Peer peer(options);
  peer.Wait(milliseconds(0));
  const auto spend = [&peer](int pings) {
    for (int i = 0; i < pings; ++i) {
      peer.Send("PING 0000000000000000");
      peer.Read();
    }
  };
  spend(5);
  for (int second = 0; second < 100; ++second) {
    peer.Wait(seconds(1));
    spend(2);
    ASSERT_EQ(peer.error(), "") << "after " << second << " s";
  }
  peer.Wait(seconds(1));
  spend(8);
  ExpectEnd(peer, "PING: expected at most 5 at once and 2 per second", "too_many_pings");
}

TEST(TokenBucketTest, GivesItsBurstAndThenItsRate) {
  TokenBucket bucket({3, 10});
  MonotonicTime now{seconds(5)};
  const auto take_all = [&] {
    int taken = 0;
    while (bucket.Take(now)) ++taken;
    return taken;
  };
  EXPECT_EQ(take_all(), 6) << "the burst, and once more what time has filled up";
  now += milliseconds(99);
  EXPECT_EQ(take_all(), 0);
  now += milliseconds(1);
  EXPECT_EQ(take_all(), 1);
  now += milliseconds(250);
  EXPECT_EQ(take_all(), 2);
  now += milliseconds(50);
  EXPECT_EQ(take_all(), 1) << "the rest of the 250 ms was not lost";
  now += seconds(3600);
  EXPECT_EQ(take_all(), 3) << "never more than the burst";
}

TEST(TokenBucketTest, WithoutTimeTheBurstIsAllThereIs) {
  TokenBucket bucket({2, 1000});
  EXPECT_TRUE(bucket.Take({}));
  EXPECT_TRUE(bucket.Take({}));
  EXPECT_FALSE(bucket.Take({}));
}

// ---- what is remembered of closed streams --------------------------------------------------------------------------

using Past = ClosedStreams::Past;

TEST(ClosedStreamsTest, TellsEndedFromPassedOverFromReset) {
  ClosedStreams streams;
  for (StreamId id : {1, 3, 9, 11}) streams.NoteOpened(id);
  streams.NoteReset(3, ResetBy::kPeer);
  streams.NoteReset(11, ResetBy::kLocal);
  EXPECT_EQ(streams.Of(1), Past::kEnded);
  EXPECT_EQ(streams.Of(3), Past::kResetByPeer);
  EXPECT_EQ(streams.Of(5), Past::kNeverOpened);
  EXPECT_EQ(streams.Of(7), Past::kNeverOpened);
  EXPECT_EQ(streams.Of(9), Past::kEnded);
  EXPECT_EQ(streams.Of(11), Past::kResetByUs);
  streams.NoteReset(3, ResetBy::kLocal);
  EXPECT_EQ(streams.Of(3), Past::kResetByUs) << "the last one counts";
}

TEST(ClosedStreamsTest, ForgetsTheOldestOfManyAndJudgesThemNoMore) {
  ClosedStreams streams;
  constexpr auto kMany = static_cast<StreamId>(ClosedStreams::kRemembered);
  for (StreamId i = 0; i <= kMany; ++i) streams.NoteOpened(4 * i + 3);  // 1, 5, 9, ... are passed over
  EXPECT_EQ(streams.Of(1), Past::kForgotten);
  EXPECT_EQ(streams.Of(4 * kMany + 1), Past::kNeverOpened);
  ClosedStreams reset;
  for (StreamId i = 0; i <= kMany; ++i) {
    reset.NoteOpened(2 * i + 1);
    reset.NoteReset(2 * i + 1, ResetBy::kLocal);
  }
  EXPECT_EQ(reset.Of(1), Past::kForgotten);
  EXPECT_EQ(reset.Of(2 * kMany + 1), Past::kResetByUs);
}

TEST(ClosedStreamsTest, TheLastIdOfAllMayBeOpenedFirst) {
  ClosedStreams streams;
  streams.NoteOpened(0x7fffffff);
  EXPECT_EQ(streams.Of(1), Past::kNeverOpened);
  EXPECT_EQ(streams.Of(0x7ffffffd), Past::kNeverOpened);
}

}  // namespace
}  // namespace weir::transport
