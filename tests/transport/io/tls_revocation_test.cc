// Certificates that their issuer has taken back.
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
using ::testing::MatchesRegex;

class TlsRevocationTest : public TlsTest {
 protected:
  void ExpectRefused() {
    loop_.RunUntilIdle();
    loop_.Advance(TlsStream::kRefusalTime);
    EXPECT_FALSE(client_->error.ok());
    EXPECT_FALSE(server_->error.ok());
  }
  std::string ClientError() const { return std::string(client_->error.message()); }
  std::string ServerError() const { return std::string(server_->error.message()); }

  const TestCertificate other_ = Ca().Issue({.common_name = "other", .names = "DNS:other.example"});
};

TEST_F(TlsRevocationTest, AServerThatIsNotInTheListIsServed) {
  client_options_.revocation_lists = TlsPem::Memory(Ca().Revoke({other_}));
  Join();
  ExpectTheyCanTalk();
}

TEST_F(TlsRevocationTest, ARevokedServerIsRefused) {
  client_options_.revocation_lists = TlsPem::Memory(Ca().Revoke({other_, SharedServerCertificate()}));
  Join();
  ExpectRefused();
  EXPECT_EQ(
      ClientError(),
      "TLS handshake with server: the server's certificate \"CN=server\" was revoked by its issuer \"CN=Test CA\" "
      "(revocation lists (in memory))");
  EXPECT_THAT(ServerError(), HasSubstr("our certificate \"CN=server\" was revoked"));
}

TEST_F(TlsRevocationTest, ARevokedClientIsRefused) {
  const TestCertificate lost = Ca().Issue({.common_name = "lost"});
  server_options_.client_certificates = TlsClientCertificates::kRequire;
  server_options_.client_roots = TlsPem::Memory(Ca().certificate());
  server_options_.client_revocation_lists = TlsPem::Memory(Ca().Revoke({lost}));
  client_options_.key_pair = KeyPairOf(other_);
  Join();
  ExpectTheyCanTalk();
  client_options_.key_pair = KeyPairOf(lost);
  Join();
  ExpectRefused();
  EXPECT_EQ(ServerError(),
            "TLS handshake with client: the client's certificate \"CN=lost\" was revoked by its issuer \"CN=Test CA\" "
            "(revocation lists (in memory))");
}

TEST_F(TlsRevocationTest, EveryIssuerOfTheChainNeedsAList) {
  TestAuthority intermediate("Intermediate CA", Ca());
  server_options_.key_pair = KeyPairOf(intermediate.Issue({.names = "DNS:a.example"}));
  client_options_.revocation_lists = TlsPem::Memory(Ca().Revoke({}));
  Join();
  ExpectRefused();
  EXPECT_EQ(
      ClientError(),
      "TLS handshake with server: the server's certificate \"CN=server\" cannot be checked: expected a revocation "
      "list of its issuer \"CN=Intermediate CA\" in revocation lists (in memory), got none");
  client_options_.revocation_lists = TlsPem::Memory(Ca().Revoke({}) + intermediate.Revoke({}));
  Join();
  ExpectTheyCanTalk();
}

TEST_F(TlsRevocationTest, ARevokedIntermediateIsRefused) {
  TestAuthority intermediate("Intermediate CA", Ca());
  server_options_.key_pair = KeyPairOf(intermediate.Issue({.names = "DNS:a.example"}));
  client_options_.revocation_lists =
      TlsPem::Memory(Ca().Revoke({{.chain = intermediate.certificate(), .key = ""}}) + intermediate.Revoke({}));
  Join();
  ExpectRefused();
  EXPECT_EQ(ClientError(),
            "TLS handshake with server: the server's certificate's issuer \"CN=Intermediate CA\" was revoked by its "
            "issuer \"CN=Test CA\" (revocation lists (in memory))");
}

TEST_F(TlsRevocationTest, AListThatIsPastItsNextUpdateIsNotBelieved) {
  client_options_.revocation_lists = TlsPem::Memory(Ca().Revoke({}, -absl::Minutes(1)));
  Join();
  ExpectRefused();
  EXPECT_THAT(
      ClientError(),
      MatchesRegex("TLS handshake with server: the server's certificate \"CN=server\" cannot be checked: the "
                   "revocation list of its issuer \"CN=Test CA\" in revocation lists \\(in memory\\) is past its "
                   "nextUpdate \\(it is .* on this machine\\); get the next one"));
}

TEST_F(TlsRevocationTest, AListInAFileIsReadAgainAndHoldsForClientsThatWouldResume) {
  const std::string path = std::string(getenv("TEST_TMPDIR")) + "/crl" + std::to_string(getpid()) + ".pem";
  std::ofstream(path) << Ca().Revoke({});
  server_options_.client_certificates = TlsClientCertificates::kRequire;
  server_options_.client_roots = TlsPem::Memory(Ca().certificate());
  server_options_.client_revocation_lists = TlsPem::File(path);
  client_options_.key_pair = KeyPairOf(other_);
  Join();
  ExpectTheyCanTalk();
  std::ofstream(path) << Ca().Revoke({other_});
  loop_.Advance(std::chrono::seconds(1));
  JoinAgain();
  ExpectRefused();
  EXPECT_THAT(ServerError(), HasSubstr("\"CN=other\" was revoked"));
  unlink(path.c_str());
}

TEST_F(TlsRevocationTest, WhatIsNoListIsToldWithItsName) {
  client_options_.revocation_lists = TlsPem::Memory(Ca().certificate());
  EXPECT_EQ(
      std::string(MakeTlsClientSecurity(client_options_)->status().message()),
      "TLS revocation lists (in memory): expected a PEM block X509 CRL, got a CERTIFICATE; are the files mixed up?");
}

TEST_F(TlsRevocationTest, ListsWithoutClientCertificatesAreAMistake) {
  server_options_.client_revocation_lists = TlsPem::Memory(Ca().Revoke({}));
  EXPECT_EQ(std::string(MakeTlsServerSecurity(server_options_)->status().message()),
            "TLS: expected client_certificates kRequest or kRequire with client_revocation_lists, got kIgnore");
}

}  // namespace
}  // namespace weir::transport
