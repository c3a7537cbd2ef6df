// A client and a server H2Connection in memory, joined by pipes that cut at seeded places: whole calls under small
// windows, checked against what was sent. Same seed, same run.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "weir/tests/support/frame_script.h"

namespace weir::transport {
namespace {

using ::weir::testing::ClientOptions;
using ::weir::testing::ServerOptions;

const HeaderList kRequest = {{":method", "POST"}, {":scheme", "http"}, {":path", "/a"}, {":authority", "x"}};

// One side of one call.
struct Half {
  std::string to_send;
  size_t sent = 0;
  bool end_sent = false;
  std::string received;
  bool ended = false;
  int endings = 0;
};

class Pair {
 public:
  explicit Pair(uint32_t seed)
      : random_(seed), client_(SmallWindows(ClientOptions())), server_(SmallWindows(ServerOptions())) {
    client_.InitiateConnection();
    server_.InitiateConnection();
  }

  void OpenCall() {
    if (!client_.CanOpenStream()) return;
    const auto id = client_.SendRequestHeaders(kRequest, EndStream::kNo);
    ASSERT_TRUE(id.ok()) << id.status();
    client_calls_[*id].to_send = RandomBody();
  }

  // One random move; false if there was nothing to do.
  void Step() {
    switch (random_() % 6) {
      case 0:
        Move(client_, server_, &to_server_, server_calls_, Role::kServer);
        break;
      case 1:
        Move(server_, client_, &to_client_, client_calls_, Role::kClient);
        break;
      case 2:
        Send(client_, client_calls_);
        break;
      case 3:
        Send(server_, server_calls_);
        break;
      case 4:
        Consume(client_, client_debt_);
        break;
      case 5:
        Consume(server_, server_debt_);
        break;
    }
  }

  bool Done() const {
    if (client_calls_.size() != server_calls_.size()) return false;
    for (const auto* calls : {&client_calls_, &server_calls_}) {
      for (const auto& [id, half] : *calls) {
        if (!half.ended || !half.end_sent) return false;
      }
    }
    return true;
  }

  void Check() {
    ASSERT_EQ(client_calls_.size(), server_calls_.size());
    for (const auto& [id, half] : client_calls_) {
      const Half& other = server_calls_[id];
      EXPECT_TRUE(half.received == other.to_send) << id;
      EXPECT_TRUE(other.received == half.to_send) << id;
      EXPECT_EQ(half.endings, 1) << id;
      EXPECT_EQ(other.endings, 1) << id;
      client_.RemoveStream(id);
      server_.RemoveStream(id);
    }
    EXPECT_EQ(client_.ActiveStreamCount(), 0u);
    EXPECT_EQ(server_.ActiveStreamCount(), 0u);
  }

 private:
  static H2Options SmallWindows(H2Options options) {
    options.stream_window_bytes = 3000;
    options.connection_window_bytes = 70000;
    options.send_queue_bytes_max = 2000;
    options.shared_queue_bytes_max = 2500;
    options.max_concurrent_streams = 5;
    return options;
  }

  std::string RandomBody() {
    std::string body(random_() % 10000, '\0');
    for (char& c : body) c = static_cast<char>('a' + random_() % 26);
    return body;
  }

  void Move(H2Connection& from, H2Connection& to, std::string* pipe, std::map<StreamId, Half>& calls, Role role) {
    OutputBuffer out;
    from.DataToSend(random_() % 5000, &out);
    *pipe += out.Flatten();
    const std::string read = pipe->substr(0, random_() % (pipe->size() + 1));
    pipe->erase(0, read.size());
    std::vector<H2Event> events;
    to.ReceiveData(read, &events);
    for (const H2Event& event : events) OnEvent(to, event, calls, role);
  }

  void OnEvent(H2Connection& connection, const H2Event& event, std::map<StreamId, Half>& calls, Role role) {
    if (const auto* request = std::get_if<H2RequestReceived>(&event)) {
      Half& half = calls[request->stream_id];
      half.to_send = RandomBody();
      EXPECT_TRUE(connection.SendResponseHeaders(request->stream_id, 200, {{"a", "b"}}, EndStream::kNo).ok());
    } else if (const auto* body = std::get_if<H2BodyReceived>(&event)) {
      Half& half = calls.at(body->stream_id);
      half.received += body->body.data;
      (role == Role::kServer ? server_debt_ : client_debt_)[body->stream_id] += body->body.flow_controlled_bytes;
      if (!body->body.more) End(half);
    } else if (const auto* trailers = std::get_if<H2TrailersReceived>(&event)) {
      EXPECT_EQ(trailers->fields, (HeaderList{{"grpc-status", "0"}}));
      End(calls.at(trailers->stream_id));
    } else {
      EXPECT_FALSE(std::holds_alternative<H2ConnectionError>(event)) << ToString(event);
      EXPECT_FALSE(std::holds_alternative<H2StreamReset>(event)) << ToString(event);
    }
  }

  static void End(Half& half) {
    half.ended = true;
    ++half.endings;
  }

  void Send(H2Connection& connection, std::map<StreamId, Half>& calls) {
    for (auto& [id, half] : calls) {
      if (half.end_sent || random_() % 2 == 0) continue;
      const std::string_view rest = std::string_view(half.to_send).substr(half.sent, random_() % 4000);
      const size_t window = connection.LocalFlowControlWindow(id);
      size_t accepted = 0;
      if (random_() % 2 == 0) {
        accepted = connection.SendData(id, rest, EndStream::kNo);
        EXPECT_EQ(accepted, std::min(window, rest.size()));
      } else {
        accepted = connection.SendData(id, SharedBytes::Of(std::string(rest)), EndStream::kNo);
        EXPECT_GE(accepted, std::min(window, rest.size()));  // more, if it is large
      }
      half.sent += accepted;
      if (half.sent < half.to_send.size()) continue;
      half.end_sent = true;
      if (random_() % 2 == 0) {
        EXPECT_TRUE(connection.SendTrailers(id, {{"grpc-status", "0"}}).ok());
      } else {
        connection.SendData(id, std::string_view(), EndStream::kYes);
      }
    }
  }

  void Consume(H2Connection& connection, std::map<StreamId, size_t>& debt) {
    for (auto& [id, bytes] : debt) {
      const size_t taken = random_() % (bytes + 1);
      connection.ConsumeData(id, taken);
      bytes -= taken;
    }
  }

  std::mt19937 random_;
  H2Connection client_;
  H2Connection server_;
  std::string to_server_;
  std::string to_client_;
  std::map<StreamId, Half> client_calls_;
  std::map<StreamId, Half> server_calls_;
  std::map<StreamId, size_t> client_debt_;
  std::map<StreamId, size_t> server_debt_;
};

TEST(PairTest, EveryCallArrivesWholeAndEndsOnceWhateverTheCutsAndWindows) {
  for (uint32_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair pair(seed);
    for (int i = 0; i < 5; ++i) pair.OpenCall();
    for (int step = 0; step < 20000 && !pair.Done(); ++step) pair.Step();
    ASSERT_TRUE(pair.Done()) << "no progress: a window or an event was lost";
    pair.Check();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace weir::transport
