// What a program may ask a server itself, where it may not, and how signals end it.
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using testing::Body;
using testing::EchoServer;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

// A handler that asks its own server, on a loop of it, for what waits for loops.
class Confused final : public bench::EchoService {
 public:
  Task<absl::StatusOr<Payload>> Unary(ServerContext&, const Payload&) override {
    const ServerCredentials insecure = InsecureServerCredentials();
    errors = {{"Server::Listen", server->Listen("127.0.0.1:0", insecure)},
              {"Server::ListenOn", server->ListenOn(-1, insecure)},
              {"Server::StopListening", server->StopListening(server->addresses()[0])},
              {"Server::OfferHandover", server->OfferHandover("/nowhere")},
              {"Server::TakeOver", server->TakeOver("/nowhere", insecure)},
              {"Server::Drain", server->Drain(absl::Hours(1))}};
    co_return Payload();
  }

  Server* server = nullptr;
  std::vector<std::pair<std::string, absl::Status>> errors;
};

TEST(ServerTest, MethodsThatWaitRefuseALoopsThread) {
  Confused service;
  Server server(EchoServer::Threads(1));
  service.server = &server;
  server.AddService(service);
  ASSERT_THAT(server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  Channel channel(server.addresses()[0], InsecureChannelCredentials());
  ASSERT_THAT(EchoClient(channel).Unary(Body("x")).Wait(), IsOk());
  ASSERT_EQ(service.errors.size(), 6u);
  for (const auto& [method, error] : service.errors) {
    EXPECT_THAT(error, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(method)));
  }
  EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(), IsOk()) << "nothing has happened to it";
}

TEST(ServerTest, CompressionThatItDoesNotHaveIsToldByListen) {
  ServerOptions options = EchoServer::Threads(1);
  options.compression = "snappy";
  Server server(options);
  EXPECT_THAT(server.Listen("127.0.0.1:0", InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("got \"snappy\"; add it to `compressors`")));
}

TEST(ServerTest, StopCancelsWhatRuns) {
  EchoServer server;
  Channel channel = server.Connect();
  auto call = EchoClient(channel).BidiEcho();
  ASSERT_TRUE(call.Write(Body("x")).Wait());
  ASSERT_TRUE(call.Read().Wait().has_value());
  server.server().Stop();
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_THAT(call.Finish().Wait(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("shutting down")));
  server.service.cancelled.WaitFor(1);
  EXPECT_EQ(server.server().connection_count(), 0u);
}

bool SignalsAreWatched() {
  struct sigaction current {};
  sigaction(SIGTERM, nullptr, &current);
  return current.sa_handler != SIG_DFL;
}

bool CanBeReached(EchoServer& server) {
  Channel channel = server.Connect();
  return EchoClient(channel).Unary(Body("x")).Wait().ok();
}

TEST(ServerTest, FirstSignalDrainsAndTheSecondCancels) {
  ServerOptions options = EchoServer::Threads(1);
  options.drain_grace = absl::Hours(1);
  EchoServer server(testing::Over::kTcp, options);
  absl::Status ended = absl::UnknownError("still runs");
  std::thread runs([&] { ended = server.server().RunUntilSignal(); });
  while (!SignalsAreWatched()) std::this_thread::yield();

  Channel channel = server.Connect();
  auto call = EchoClient(channel).BidiEcho();
  ASSERT_TRUE(call.Write(Body("a")).Wait());
  ASSERT_TRUE(call.Read().Wait().has_value());
  kill(getpid(), SIGTERM);
  while (CanBeReached(server)) std::this_thread::yield();
  EXPECT_TRUE(call.Write(Body("b")).Wait());
  EXPECT_TRUE(call.Read().Wait().has_value()) << "it may take its time";
  kill(getpid(), SIGINT);
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_THAT(call.Finish().Wait(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("shutting down")));
  runs.join();
  EXPECT_THAT(ended, StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("they were cancelled")));
  EXPECT_FALSE(SignalsAreWatched());
}

}  // namespace
}  // namespace weir
