// gRPC's interop case max_concurrent_streams_connection_scaling (gRFC A105), with servers of grpc++ and of weir: what
// is over MAX_CONCURRENT_STREAMS of a connection goes to another one, and what is over that of all waits.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/golden/greeter.grpc.pb.h"
#include "tests/golden/greeter.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"

namespace golden::greeter::v1 {
namespace {

constexpr int kStreamsMax = 3;

// Handlers that wait for each other, and the connections on which they were called.
class Meeting {
 public:
  // Until `count` have come.
  void WaitFor(size_t count) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, std::chrono::seconds(30), [&] { return peers_.size() >= count; });
    EXPECT_TRUE(came) << peers_.size() << " came, expected " << count;
  }
  void Attend(const std::string& peer) {
    std::unique_lock lock(mutex_);
    peers_.push_back(peer);
    changed_.notify_all();
    changed_.wait(lock, [this] { return over_; });
  }
  void End() {
    std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  std::multiset<std::string> peers() {
    std::lock_guard lock(mutex_);
    return {peers_.begin(), peers_.end()};
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> peers_;
  bool over_ = false;
};

class GrpcGreeter final : public Greeter::Service {
 public:
  explicit GrpcGreeter(Meeting& meeting) : meeting_(meeting) {}

 private:
  grpc::Status SayHello(grpc::ServerContext* context, const HelloRequest*, HelloReply*) override {
    meeting_.Attend(context->peer());
    return grpc::Status::OK;
  }
  Meeting& meeting_;
};

class WeirGreeter final : public GreeterService {
 public:
  explicit WeirGreeter(Meeting& meeting) : meeting_(meeting) {}

 private:
  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext& context, const HelloRequest&) override {
    meeting_.Attend(std::string(context.peer()));
    co_return HelloReply();
  }
  Meeting& meeting_;
};

// Two connections take twice as many calls at a time; one more waits until another has ended, and none fails.
void ExpectTwoConnections(int port, Meeting& meeting) {
  weir::ChannelOptions options;
  options.max_connections_per_address = 2;
  weir::Channel channel("127.0.0.1:" + std::to_string(port), weir::InsecureChannelCredentials(), options);
  GreeterClient client(channel);
  HelloRequest request;
  request.set_name("x");
  std::vector<weir::UnaryCall<HelloReply>> calls;
  for (int i = 0; i < 2 * kStreamsMax + 1; ++i) calls.push_back(client.SayHello(request));
  meeting.WaitFor(2 * kStreamsMax);
  const std::multiset<std::string> peers = meeting.peers();
  EXPECT_EQ(peers.size(), size_t{2 * kStreamsMax}) << "the last one waits";
  for (const std::string& peer : peers) EXPECT_EQ(peers.count(peer), size_t{kStreamsMax}) << peer;
  meeting.End();
  for (auto& call : calls) {
    const absl::StatusOr<HelloReply> reply = call.Wait();
    EXPECT_TRUE(reply.ok()) << reply.status();
  }
}

TEST(ConnectionScalingTest, ToAServerOfGrpcpp) {
  Meeting meeting;
  GrpcGreeter greeter(meeting);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsMax);
  builder.RegisterService(&greeter);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  ExpectTwoConnections(port, meeting);
}

TEST(ConnectionScalingTest, ToAServerOfWeir) {
  Meeting meeting;
  WeirGreeter greeter(meeting);
  weir::ServerOptions options;
  options.max_concurrent_streams = kStreamsMax;
  options.worker_threads = 3 * kStreamsMax;  // handlers here block
  weir::Server server(options);
  server.AddService(greeter);
  ASSERT_TRUE(server.Listen("127.0.0.1:0", weir::InsecureServerCredentials()).ok());
  ExpectTwoConnections(server.port(), meeting);
}

}  // namespace
}  // namespace golden::greeter::v1
