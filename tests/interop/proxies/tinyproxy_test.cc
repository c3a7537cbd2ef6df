// tinyproxy between a channel and its server: CONNECT as a proxy of others understands it.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "weir/tests/interop/daemon.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir::testing {
namespace {

using ::testing::HasSubstr;

// A port on loopback that nobody else is given: bound as long as this lives, for somebody who sets SO_REUSEADDR to
// listen on.
class ReservedPort {
 public:
  ReservedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int one = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    const bool bound = ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) == 0 &&
                       ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) == 0;
    EXPECT_TRUE(bound);
    number_ = std::to_string(ntohs(address.sin_port));
  }
  ~ReservedPort() { ::close(fd_); }
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  const std::string& number() const { return number_; }

 private:
  const int fd_;
  std::string number_;
};

class TinyproxyTest : public ::testing::Test {
 protected:
  TinyproxyTest() {
    folder_.Write("tinyproxy.conf",
                  "Port " + port_.number() + "\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nBasicAuth ada secret\n");
    daemon_ = std::make_unique<Daemon>(folder_.path(),
                                       std::vector<std::string>{"/usr/bin/tinyproxy", "-d", "-c", "tinyproxy.conf"},
                                       "Accepting connections");
    server_.AddService(service_);
    EXPECT_TRUE(server_.Listen("127.0.0.1:0", TlsServerCredentials(TlsOfServer())).ok());
  }

  absl::StatusOr<bench::Payload> Ask(const std::string& user, const std::string& target) {
    ChannelOptions options;
    options.http_proxy = "http://" + user + "127.0.0.1:" + port_.number();
    Channel channel(target, TlsChannelCredentials(TlsOfChannel()), options);
    return bench::EchoClient(channel).Unary(Body(std::string(1 << 20, 'x'))).Wait();
  }

  const ReservedPort port_;
  const Folder folder_;
  EchoService service_;
  Server server_;
  std::unique_ptr<Daemon> daemon_;
};

// By number: tinyproxy asks the system for names, and a bare container has no /etc/hosts.
TEST_F(TinyproxyTest, LeadsToTheServer) {
  const absl::StatusOr<bench::Payload> reply = Ask("ada:secret@", "127.0.0.1:" + std::to_string(server_.port()));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->body().size(), size_t{1} << 20);
}

TEST_F(TinyproxyTest, RefusesWhoDoesNotSayWhoItIsAndWhatIsNotThere) {
  EXPECT_THAT(Ask("", "127.0.0.1:" + std::to_string(server_.port())).status().ToString(),
              HasSubstr("it wants to know who asks"));
  EXPECT_THAT(Ask("ada:guess@", "127.0.0.1:" + std::to_string(server_.port())).status().ToString(),
              HasSubstr("it said \"HTTP/1."));
  EXPECT_THAT(Ask("ada:secret@", "127.0.0.1:1").status().ToString(),
              HasSubstr("it could not connect to the destination itself"));
}

}  // namespace
}  // namespace weir::testing
