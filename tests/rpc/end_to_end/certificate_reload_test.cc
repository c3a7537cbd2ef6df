// Certificates of both sides change a thousand times while calls are made. On a loop whose time the test moves, because
// files are looked at once a second.
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <string>
#include <string_view>

#include "weir/rpc/client/channel_endpoint.h"
#include "weir/rpc/client/stream_source.h"
#include "weir/rpc/server/dispatcher.h"
#include "weir/rpc/server/server_loop.h"
#include "weir/tests/rpc/end_to_end/harness.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/io/blocking_executor.h"
#include "weir/transport/io/memory_stream.h"
#include "weir/transport/io/stream_security.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Body;
using testing::FakeLoop;
using testing::IsOk;
using testing::TestCertificate;
using testing::TheAuthority;

// Says who calls.
class WhoService final : public bench::EchoService {
 public:
  Task<absl::StatusOr<Payload>> Unary(ServerContext& context, const Payload&) override {
    co_return Body(context.peer_identity().subject);
  }
  Task<absl::Status> BidiEcho(ServerContext& context, Reader<Payload>& reader, Writer<Payload>& writer) override {
    const Payload who = Body(context.peer_identity().subject);
    while (std::optional<Payload> asked = co_await reader.Read()) {
      if (!co_await writer.Write(who)) break;
    }
    co_return absl::OkStatus();
  }
};

// Certificate and key in files, replaced as a careful operator does: each in one step, so that a reader may see a new
// key with an old certificate, but no half of a file.
class PairInFiles {
 public:
  explicit PairInFiles(const std::string& name) : folder_(std::string(getenv("TEST_TMPDIR")) + "/" + name) {
    EXPECT_EQ(mkdir(folder_.c_str(), 0700), 0);
  }
  TlsKeyPair key_pair() const { return {TlsPem::File(folder_ + "/cert.pem"), TlsPem::File(folder_ + "/key.pem")}; }
  void ReplaceKey(const TestCertificate& pair) { Replace("/key.pem", pair.key); }
  void ReplaceChain(const TestCertificate& pair) { Replace("/cert.pem", pair.chain); }

 private:
  void Replace(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/new") << text;
    EXPECT_EQ(rename((folder_ + "/new").c_str(), (folder_ + name).c_str()), 0);
  }

  const std::string folder_;
};

class CertificateReloadTest : public ::testing::Test, private transport::WaitingWork {
 protected:
  CertificateReloadTest() : waiting_(this) {
    EXPECT_THAT(dispatcher_.Add(service_), IsOk());
    options_.connection.max_age = absl::Seconds(5);
    options_.connection.max_age_grace = absl::InfiniteDuration();
    Replace(first_);
  }
  ~CertificateReloadTest() override {
    loop_.Post([this] { server_->StopAll(absl::UnavailableError("the test is over")); });
    loop_.RunUntilIdle();
    loop_.Advance(seconds(5));
    server_.reset();
  }

  void Start() {
    TlsServerOptions tls;
    tls.key_pair = server_pair_.key_pair();
    tls.client_certificates = TlsClientCertificates::kRequire;
    tls.client_roots = TlsPem::Memory(TheAuthority().certificate());
    tls.log = [](std::string_view) {};  // of keys that do not fit yet
    server_security_ = TlsServerCredentials(tls).security();
    server_ = std::make_unique<ServerLoop>(loop_, nullptr, dispatcher_, options_, counts_,
                                           [this](int change) { connections_made_ += change > 0 ? 1 : 0; });
  }

  std::unique_ptr<Channel> Connect() {
    TlsChannelOptions tls;
    tls.key_pair = client_pair_.key_pair();
    tls.roots = TlsPem::Memory(TheAuthority().certificate());
    tls.log = [](std::string_view) {};  // of keys that do not fit yet
    return std::make_unique<Channel>(ChannelEndpoint{.name = "localhost",
                                                     .authority = "localhost",
                                                     .scheme = "",
                                                     .source = std::make_unique<Source>(*this),
                                                     .credentials = TlsChannelCredentials(tls),
                                                     .loop = &loop_,
                                                     .loops = nullptr});
  }

  void Replace(const TestCertificate& pair) {
    ReplaceKeys(pair);
    ReplaceChains(pair);
  }
  void ReplaceKeys(const TestCertificate& pair) {
    server_pair_.ReplaceKey(pair);
    client_pair_.ReplaceKey(pair);
  }
  void ReplaceChains(const TestCertificate& pair) {
    server_pair_.ReplaceChain(pair);
    client_pair_.ReplaceChain(pair);
  }

  const TestCertificate first_ = TheAuthority().Issue({.common_name = "first"});
  const TestCertificate second_ = TheAuthority().Issue({.common_name = "second"});
  FakeLoop loop_;
  ServerOptions options_;
  PeerCounts counts_;
  int connections_made_ = 0;

 private:
  class Source final : public StreamSource {
   public:
    explicit Source(CertificateReloadTest& test) : test_(test) {}
    absl::StatusOr<std::unique_ptr<transport::ByteStream>> Connect(transport::EventLoop&) override {
      auto [ours, theirs] = transport::MakeMemoryStreamPair(
          test_.loop_, {.capacity_bytes = 64 * 1024, .first_name = "server", .second_name = "client"});
      test_.server_->Add(test_.server_security_->Secure(test_.loop_, std::move(theirs), ""), "s");
      return std::move(ours);
    }

   private:
    CertificateReloadTest& test_;
  };

  void WorkWhileWaiting() override {
    if (!loop_.RunTurn()) loop_.Advance(milliseconds(1));
  }

  transport::WaitingWork::Scope waiting_;
  PairInFiles server_pair_{"server"};
  PairInFiles client_pair_{"client"};
  WhoService service_;
  Dispatcher dispatcher_;
  std::shared_ptr<transport::StreamSecurity> server_security_;
  std::unique_ptr<ServerLoop> server_;
};

// One channel whose connections get old after five seconds, a call that goes on all the time, and a new channel for
// each pair of certificates, which has to show it.
TEST_F(CertificateReloadTest, AThousandReloadsFailNoCall) {
  Start();
  const std::unique_ptr<Channel> channel = Connect();
  EchoClient client(*channel);
  auto old = client.BidiEcho();
  for (int i = 0; i < 1'000; ++i) {
    const bool even = i % 2 == 0;
    ReplaceKeys(even ? second_ : first_);  // which do not fit the certificates that are there
    ASSERT_TRUE(old.Write(Body("?")).Wait()) << i;
    ASSERT_EQ(old.Read().Wait()->body(), "CN=first") << i << ": its connection is from before";
    ASSERT_THAT(client.Unary(Body("?")).Wait(), IsOk()) << i;
    ReplaceChains(even ? second_ : first_);
    loop_.Advance(seconds(1));
    ASSERT_THAT(client.Unary(Body("?")).Wait(), IsOk()) << i;
    const absl::StatusOr<Payload> who = EchoClient(*Connect()).Unary(Body("?")).Wait();
    ASSERT_THAT(who, IsOk()) << i;
    ASSERT_EQ(who->body(), even ? "CN=second" : "CN=first") << i;
  }
  old.WritesDone();
  EXPECT_EQ(old.Read().Wait(), std::nullopt);
  EXPECT_THAT(old.Finish().Wait(), IsOk());
  EXPECT_GT(connections_made_, 1'000 + 100);
}

}  // namespace
}  // namespace weir
