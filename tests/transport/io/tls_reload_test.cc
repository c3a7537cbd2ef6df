// Certificates that change while connections are made.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

#include "weir/tests/transport/io/tls_harness.h"
#include "weir/transport/io/tls_stream.h"

namespace weir::transport {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TlsReloadTest : public TlsTest {
 protected:
  TlsReloadTest() : folder_(std::string(getenv("TEST_TMPDIR")) + "/tls" + std::to_string(getpid())) {
    EXPECT_EQ(system(("mkdir -p " + folder_).c_str()), 0);
    WritePair(CertificateOf("first"));
    server_options_.key_pair = {TlsPem::File(Path("cert.pem")), TlsPem::File(Path("key.pem"))};
    client_options_.log = [](std::string_view) {};
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  // In one step, as a reader sees it.
  void Replace(const std::string& name, const std::string& text) {
    std::ofstream(Path("new")) << text;
    ASSERT_EQ(rename(Path("new").c_str(), Path(name).c_str()), 0);
  }
  void WritePair(const TestCertificate& pair) {
    Replace("key.pem", pair.key);
    Replace("cert.pem", pair.chain);
  }
  static TestCertificate CertificateOf(const std::string& name) {
    return Ca().Issue({.common_name = name, .names = "DNS:a.example"});
  }

  // Whom a new connection meets after the files were looked at again.
  std::string WhoAnswers() {
    loop_.Advance(std::chrono::seconds(1));
    JoinAgain();
    ExpectTheyCanTalk();
    return client_->stream->peer_identity().subject;
  }

  const std::string folder_;
};

TEST_F(TlsReloadTest, ANewPairIsUsedByNewConnectionsAndOldOnesGoOn) {
  Join();
  ExpectTheyCanTalk();
  EXPECT_EQ(client_->stream->peer_identity().subject, "CN=first");
  const std::unique_ptr<StreamUser> old_client = std::move(client_);
  const std::unique_ptr<StreamUser> old_server = std::move(server_);
  WritePair(CertificateOf("second"));
  EXPECT_EQ(WhoAnswers(), "CN=second");
  old_client->Send("still here");
  loop_.RunUntilIdle();
  EXPECT_EQ(old_server->received, "pingstill here");
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(TlsReloadTest, FilesAreLookedAtOnceASecond) {
  Join();
  ExpectTheyCanTalk();
  WritePair(CertificateOf("second"));
  loop_.Advance(std::chrono::milliseconds(999));
  JoinAgain();
  ExpectTheyCanTalk();
  EXPECT_EQ(client_->stream->peer_identity().subject, "CN=first");
  loop_.Advance(std::chrono::milliseconds(1));
  JoinAgain();
  ExpectTheyCanTalk();
  EXPECT_EQ(client_->stream->peer_identity().subject, "CN=second");
}

TEST_F(TlsReloadTest, APairThatDoesNotFitTogetherIsToldOnceAndTheOldOneStays) {
  Join();
  const TestCertificate second = CertificateOf("second");
  Replace("cert.pem", second.chain);  // the key comes later
  EXPECT_EQ(WhoAnswers(), "CN=first");
  EXPECT_EQ(WhoAnswers(), "CN=first");
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_EQ(log_[0],
            "TLS private key " + Path("key.pem") +
                ": expected the key of \"CN=second\", the first certificate of certificate chain " + Path("cert.pem") +
                ", got another one's; not reloaded: what was loaded before stays in use until the files change");
  Replace("key.pem", second.key);
  EXPECT_EQ(WhoAnswers(), "CN=second");
  EXPECT_EQ(log_.size(), 1u);
}

TEST_F(TlsReloadTest, FilesThatAreCutEmptyOrGoneKeepTheOldPair) {
  Join();
  const TestCertificate second = CertificateOf("second");
  Replace("cert.pem", second.chain.substr(0, 100));
  EXPECT_EQ(WhoAnswers(), "CN=first");
  Replace("cert.pem", "");
  EXPECT_EQ(WhoAnswers(), "CN=first");
  unlink(Path("cert.pem").c_str());
  EXPECT_EQ(WhoAnswers(), "CN=first");
  ASSERT_EQ(log_.size(), 3u) << "each state of the files once";
  EXPECT_THAT(log_[2], HasSubstr("cert.pem: No such file or directory; not reloaded"));
  WritePair(second);
  EXPECT_EQ(WhoAnswers(), "CN=second");
}

TEST_F(TlsReloadTest, AThousandReloadsFailNoHandshakeAndNoConnection) {
  const TestCertificate pairs[] = {CertificateOf("even"), CertificateOf("odd")};
  Join();
  ExpectTheyCanTalk();
  const std::unique_ptr<StreamUser> old_client = std::move(client_);
  const std::unique_ptr<StreamUser> old_server = std::move(server_);
  old_server->received.clear();
  for (int i = 0; i < 1'000; ++i) {
    const TestCertificate& pair = pairs[i % 2];
    Replace("cert.pem", pair.chain);
    if (i % 10 == 0) {  // a connection that comes between the two files
      loop_.Advance(std::chrono::seconds(1));
      JoinAgain();
      ExpectTheyCanTalk();
    }
    Replace("key.pem", pair.key);
    ASSERT_EQ(WhoAnswers(), i % 2 == 0 ? "CN=even" : "CN=odd") << i;
    old_client->Send("x");
  }
  loop_.RunUntilIdle();
  EXPECT_EQ(old_server->received, std::string(1'000, 'x')) << "a connection from before";
  EXPECT_TRUE(old_client->error.ok() && old_server->error.ok());
}

TEST_F(TlsReloadTest, ASymbolicLinkThatIsSwitchedCounts) {
  const TestCertificate second = CertificateOf("second");
  std::ofstream(Path("2.pem")) << second.chain;
  std::ofstream(Path("2.key")) << second.key;
  Join();
  for (const auto& [name, target] : {std::pair("cert.pem", "2.pem"), std::pair("key.pem", "2.key")}) {
    ASSERT_EQ(symlink(target, Path("new").c_str()), 0);
    ASSERT_EQ(rename(Path("new").c_str(), Path(name).c_str()), 0);
  }
  EXPECT_EQ(WhoAnswers(), "CN=second");
}

TEST_F(TlsReloadTest, AClientsRootsAreReloadedTooAndItsOldSessionsForgotten) {
  Replace("ca.pem", Ca().certificate());
  client_options_.roots = TlsPem::File(Path("ca.pem"));
  Join();
  ExpectTheyCanTalk();
  Replace("ca.pem", TestAuthority("Other CA").certificate());
  loop_.Advance(std::chrono::seconds(1));
  JoinAgain();
  loop_.RunUntilIdle();
  loop_.Advance(TlsStream::kRefusalTime);
  EXPECT_THAT(std::string(client_->error.message()), HasSubstr("which is not trusted"))
      << "a session would have hidden it";
}

TEST_F(TlsReloadTest, AServerThatNoLongerTrustsAnIssuerRefusesSessionsOfItsClients) {
  Replace("ca.pem", Ca().certificate());
  server_options_.client_certificates = TlsClientCertificates::kRequire;
  server_options_.client_roots = TlsPem::File(Path("ca.pem"));
  client_options_.key_pair = KeyPairOf(CertificateOf("client"));
  Join();
  ExpectTheyCanTalk();
  EXPECT_EQ(server_->stream->peer_identity().subject, "CN=client");
  Replace("ca.pem", TestAuthority("Other CA").certificate());
  loop_.Advance(std::chrono::seconds(1));
  JoinAgain();
  loop_.RunUntilIdle();
  loop_.Advance(TlsStream::kRefusalTime);
  EXPECT_THAT(std::string(server_->error.message()), HasSubstr("which is not trusted"));
}

}  // namespace
}  // namespace weir::transport
