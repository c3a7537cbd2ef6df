// The account of the receive window, at random: a client that keeps to its windows is never stuck while everything that
// it sent has been read, and is stuck while nothing is. Where memory is short, it is neither stuck nor turned out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using bench::Summary;
using testing::Cuts;
using testing::Data;
using testing::Frames;
using testing::Handlers;
using testing::Message;
using testing::Request;
using testing::ServerWorld;

constexpr int64_t kWindow = 65535;

Task<absl::StatusOr<Summary>> ReadAll(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  Summary summary;
  while (std::optional<Payload> payload = co_await reader.Read())
    summary.set_bytes(summary.bytes() + payload->body().size());
  world.Log(std::to_string(summary.bytes()));
  co_return summary;
}

Task<absl::StatusOr<Summary>> ReadNothingUntilTold(ServerWorld& world, ServerContext& context,
                                                   Reader<Payload>& reader) {
  co_await world.signal("read");
  Summary summary;
  while (std::optional<Payload> payload = co_await reader.Read())
    summary.set_bytes(summary.bytes() + payload->body().size());
  world.Log(std::to_string(summary.bytes()));
  co_return summary;
}

ServerOptions Options() {
  ServerOptions options;
  options.stream_window_bytes = kWindow;
  options.connection_window_bytes = kWindow;
  return options;
}

// A client that sends `left` on each stream, in frames of random size, as far as the windows allow.
class Client {
 public:
  Client(ServerWorld& world, unsigned seed, const ServerOptions& options = Options())
      : world_(world), random_(seed), stream_window_(options.stream_window_bytes) {
    world_.Start();
    Send("PREFACE\nSETTINGS\nSETTINGS ACK");
    world_.DropWritten();
  }

  void Open(std::string bytes) {
    const int id = 2 * static_cast<int>(streams_.size()) + 1;
    Send(Request(id, "ClientStream"));
    streams_[id] = {std::move(bytes), stream_window_};
  }

  // False if no window allows to send more.
  bool SendSome() {
    ObeySettings();
    connection_window_ += world_.TakeReturned(0);
    std::vector<int> able;
    for (auto& [id, stream] : streams_) {
      stream.window += world_.TakeReturned(id);
      if (!stream.ended && (stream.left.empty() || std::min(stream.window, connection_window_) > 0)) able.push_back(id);
    }
    if (able.empty()) return false;
    const int id = able[random_() % able.size()];
    Stream& stream = streams_[id];
    const size_t most =
        std::min<size_t>({stream.left.size(), 16384,
                          static_cast<size_t>(std::max<int64_t>(0, std::min(stream.window, connection_window_)))});
    const size_t size = most == 0 ? 0 : 1 + random_() % most;
    stream.ended = size == stream.left.size();
    Send(Data(id, stream.left.substr(0, size), stream.ended ? "END_STREAM" : ""));
    stream.left.erase(0, size);
    stream.window -= static_cast<int64_t>(size);
    connection_window_ -= static_cast<int64_t>(size);
    return true;
  }

  bool AllSent() const {
    return std::all_of(streams_.begin(), streams_.end(), [](const auto& entry) { return entry.second.ended; });
  }
  int64_t connection_window() const { return connection_window_; }
  int64_t stream_window() const { return stream_window_; }

 private:
  struct Stream {
    std::string left;
    int64_t window = 0;
    bool ended = false;
  };

  // "the sender MUST adjust the size of all stream flow-control windows that it maintains by the difference" (RFC 9113
  // section 6.9.2)
  void ObeySettings() {
    const std::string announced = "SETTINGS INITIAL_WINDOW_SIZE=";
    for (const std::string& line : world_.TakeWritten()) {
      if (!line.starts_with(announced)) continue;
      const int64_t window = std::stoll(line.substr(announced.size()));
      for (auto& [id, stream] : streams_) stream.window += window - stream_window_;
      stream_window_ = window;
      Send("SETTINGS ACK");
    }
  }

  void Send(const std::string& frames) {
    Cuts cuts = Cuts::Whole();
    world_.Receive(Frames(frames), &cuts);
  }

  ServerWorld& world_;
  std::minstd_rand random_;
  std::map<int, Stream> streams_;
  int64_t stream_window_;
  int64_t connection_window_ = kWindow;
};

std::string Messages(std::minstd_rand& random, size_t* bodies) {
  std::string bytes;
  *bodies = 0;
  for (size_t i = random() % 6; i > 0; --i) {
    const size_t size = random() % 3 == 0 ? random() % 150000 : random() % 3000;
    bytes += Message(std::string(size, 'x'));
    *bodies += size;
  }
  return bytes;
}

TEST(WindowTest, ClientThatKeepsToItsWindowsIsNeverStuckWhileEverythingIsRead) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::minstd_rand random(seed);
    Handlers handlers;
    handlers.client_stream = ReadAll;
    ServerWorld world(handlers, Options());
    Client client(world, seed);
    std::vector<std::string> expected;
    for (size_t i = 1 + random() % 40; i > 0; --i) {
      size_t bodies = 0;
      client.Open(Messages(random, &bodies));
      expected.push_back(std::to_string(bodies));
    }
    while (client.SendSome()) {
    }
    ASSERT_TRUE(client.AllSent()) << "connection window " << client.connection_window();
    std::vector<std::string> got = world.TakeLog();
    std::sort(expected.begin(), expected.end());
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, expected);
    EXPECT_EQ(world.Leftovers(), std::vector<std::string>());
    // All is returned but what is not yet worth a frame: less than half a window.
    EXPECT_GE(client.connection_window() + world.TakeReturned(0), kWindow / 2);
  }
}

// Twenty messages of 150 KB side by side where 200 KB may wait: all become whole. The bound is what WindowRation says.
TEST(WindowTest, ClientThatKeepsToItsWindowsIsNeitherStuckNorTurnedOutWhileMemoryIsShort) {
  constexpr size_t kStreams = 20;
  constexpr size_t kMessage = 150'000;
  constexpr size_t kRead = 16'384;
  for (unsigned seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::minstd_rand random(seed);
    ServerOptions options = Options();
    options.stream_window_bytes = 4 * kWindow;
    options.connection.memory_soft_bytes = 200'000;
    options.connection.memory_hard_bytes = 200'000 + kRead + kStreams * kWindow + kMessage;
    Handlers handlers;
    handlers.client_stream = ReadAll;
    ServerWorld world(handlers, options);
    Client client(world, seed, options);
    const std::string message = Message(std::string(kMessage, 'x'));
    for (size_t i = 0; i < kStreams; ++i) client.Open(message + message);
    bool narrow = false;
    while (client.SendSome()) {
      narrow |= client.stream_window() == kWindow;
      if (random() % 64 == 0) world.loop().Advance(std::chrono::seconds(random() % 4));
    }
    EXPECT_TRUE(narrow);
    ASSERT_TRUE(client.AllSent()) << "connection window " << client.connection_window();
    EXPECT_EQ(world.TakeLog(), std::vector<std::string>(kStreams, std::to_string(2 * kMessage)));
    world.loop().Advance(std::chrono::seconds(12));
    client.SendSome();
    EXPECT_EQ(client.stream_window(), 4 * kWindow);
    EXPECT_EQ(world.Leftovers(), std::vector<std::string>());
  }
}

TEST(WindowTest, ClientIsStuckWhileNothingIsReadAndGoesOnWhenItIs) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Handlers handlers;
    handlers.client_stream = ReadNothingUntilTold;
    ServerOptions options = Options();
    options.unread_bytes_max = 0;
    ServerWorld world(handlers, options);
    Client client(world, seed);
    for (int i = 0; i < 3; ++i) client.Open(Message(std::string(50000, 'x')));
    while (client.SendSome()) {
    }
    EXPECT_EQ(client.connection_window(), 0);
    EXPECT_FALSE(client.AllSent());
    world.OnLoop([&world] { world.signal("read").Set(); });
    while (client.SendSome()) {
    }
    EXPECT_TRUE(client.AllSent());
    EXPECT_EQ(world.TakeLog(), std::vector<std::string>(3, "50000"));
    EXPECT_EQ(world.Leftovers(), std::vector<std::string>());
  }
}

}  // namespace
}  // namespace weir
