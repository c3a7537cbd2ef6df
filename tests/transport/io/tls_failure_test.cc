// What each failed handshake tells both sides: one row each.
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <functional>
#include <regex>
#include <string>
#include <utility>

#include "weir/tests/transport/io/tls_harness.h"
#include "weir/transport/io/tls_stream.h"

namespace weir::transport {
namespace {

// A peer that does what ours cannot be told to do: OpenSSL without us.
class RawTlsPeer {
 public:
  using SetUp = std::function<void(SSL_CTX*)>;

  RawTlsPeer(std::unique_ptr<ByteStream> stream, bool server, const SetUp& set_up)
      : context_(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method())), user_(std::move(stream)) {
    set_up(context_);
    ssl_ = SSL_new(context_);
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    server ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
  }
  ~RawTlsPeer() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }

  // Until the two have nothing more to say.
  void Talk(FakeLoop& loop) {
    for (int round = 0; round < 10; ++round) {
      loop.RunUntilIdle();
      BIO_write(SSL_get_rbio(ssl_), user_.received.data(), static_cast<int>(user_.received.size()));
      user_.received.clear();
      SSL_do_handshake(ssl_);
      std::string out(65536, '\0');
      const int count = BIO_read(SSL_get_wbio(ssl_), out.data(), static_cast<int>(out.size()));
      if (count > 0) user_.Send(std::string_view(out).substr(0, static_cast<size_t>(count)));
    }
    if (user_.stream != nullptr) user_.stream->ShutdownWrite();
    loop.RunUntilIdle();
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  StreamUser user_;
};

class TlsFailureTest : public TlsTest {
 protected:
  // Both of ours, until one has failed and the other has noticed.
  void JoinAndFail(std::string_view host = "a.example") {
    Join({}, host);
    loop_.RunUntilIdle();
    loop_.Advance(TlsStream::kRefusalTime);
  }
  void ExpectClient(std::string_view text) { EXPECT_EQ(Message(client_->error), text); }
  void ExpectServer(std::string_view text) {
    EXPECT_EQ(Message(server_->error), text);
    ASSERT_EQ(log_.size(), 1u) << "and a line for the operator";
    EXPECT_EQ(WithoutNow(log_[0]), text);
  }

  static std::string WithoutNow(const std::string& text) {
    return std::regex_replace(text, std::regex("it is [-0-9]+ [:0-9]+ UTC"), "it is NOW");
  }
  static std::string Message(const absl::Status& status) { return WithoutNow(std::string(status.message())); }

  // Our server against a peer.
  void ServeRaw(const RawTlsPeer::SetUp& set_up) {
    auto [peer_end, server_end] = MakeMemoryStreamPair(loop_, {.first_name = "client", .second_name = "server"});
    server_security_ = MakeTlsServerSecurity(server_options_);
    server_ = std::make_unique<StreamUser>(server_security_->Secure(loop_, std::move(server_end), ""));
    RawTlsPeer(std::move(peer_end), false, set_up).Talk(loop_);
  }
  void ConnectToRaw(const RawTlsPeer::SetUp& set_up) {
    auto [client_end, peer_end] = MakeMemoryStreamPair(loop_, {.first_name = "client", .second_name = "server"});
    client_security_ = MakeTlsClientSecurity(client_options_);
    client_ = std::make_unique<StreamUser>(client_security_->Secure(loop_, std::move(client_end), "a.example"));
    RawTlsPeer(std::move(peer_end), true, [&](SSL_CTX* context) {
      UseSharedCertificate(context);
      set_up(context);
    }).Talk(loop_);
  }
  static void UseSharedCertificate(SSL_CTX* context) {
    BIO* chain = BIO_new_mem_buf(SharedServerCertificate().chain.data(), -1);
    BIO* key_text = BIO_new_mem_buf(SharedServerCertificate().key.data(), -1);
    X509* certificate = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(chain);
    BIO_free(key_text);
  }
  static void OfferH2(SSL_CTX* context) {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>("\x02h2"), 3);
  }

  // A stranger that says `greeting` to our server, or to our client in answer to its ClientHello.
  std::string TellServer(std::string_view greeting) {
    auto [peer_end, server_end] = MakeMemoryStreamPair(loop_, {.first_name = "client", .second_name = "server"});
    server_security_ = MakeTlsServerSecurity(server_options_);
    server_ = std::make_unique<StreamUser>(server_security_->Secure(loop_, std::move(server_end), ""));
    StreamUser peer(std::move(peer_end));
    peer.Send(greeting);
    loop_.RunUntilIdle();
    peer.stream->ShutdownWrite();
    loop_.RunUntilIdle();
    return peer.received;
  }
  void TellClient(std::string_view greeting) {
    auto [client_end, peer_end] = MakeMemoryStreamPair(loop_, {.first_name = "client", .second_name = "server"});
    client_security_ = MakeTlsClientSecurity(client_options_);
    client_ = std::make_unique<StreamUser>(client_security_->Secure(loop_, std::move(client_end), "a.example"));
    StreamUser peer(std::move(peer_end));
    peer.Send(greeting);
    loop_.RunUntilIdle();
    peer.stream->ShutdownWrite();
    loop_.RunUntilIdle();
  }
};

TEST_F(TlsFailureTest, WrongHost) {
  JoinAndFail("db.example");
  ExpectClient(
      "TLS handshake with server: wrong host: expected a certificate for \"db.example\", got one for DNS:a.example, "
      "DNS:*.b.example, IP:10.0.0.1; connect by such a name, or set ChannelOptions::authority to it");
  ExpectServer(
      "TLS handshake with client: the client refused the connection: it does not accept our certificate \"CN=server\" "
      "(alert 42, bad certificate)");
}

TEST_F(TlsFailureTest, WrongAddress) {
  JoinAndFail("10.0.0.2");
  ExpectClient(
      "TLS handshake with server: wrong host: expected a certificate for \"10.0.0.2\", got one for DNS:a.example, "
      "DNS:*.b.example, IP:10.0.0.1; connect by such a name, or set ChannelOptions::authority to it");
}

TEST_F(TlsFailureTest, OnlyACommonName) {
  server_options_.key_pair = KeyPairOf(Ca().Issue({.common_name = "a.example", .names = ""}));
  JoinAndFail();
  ExpectClient(
      "TLS handshake with server: wrong host: expected a certificate for \"a.example\", got one for no DNS name or "
      "address (a common name does not count, RFC 9525); connect by such a name, or set ChannelOptions::authority to "
      "it");
}

TEST_F(TlsFailureTest, RightNames) {
  for (const char* host : {"a.example", "A.Example", "x.b.example", "10.0.0.1"}) {
    Join({}, host);
    ExpectTheyCanTalk();
  }
  for (const char* host : {"x.y.b.example", "b.example", "xa.example"}) {
    JoinAndFail(host);
    EXPECT_FALSE(client_->error.ok()) << host;
  }
}

TEST_F(TlsFailureTest, Expired) {
  server_options_.key_pair = KeyPairOf(Ca().Issue({.names = "DNS:a.example", .ends_in = -absl::Minutes(1)}));
  JoinAndFail();
  EXPECT_THAT(std::string(client_->error.message()),
              ::testing::MatchesRegex("TLS handshake with server: the server's certificate \"CN=server\" expired on "
                                      "[-0-9]+ [:0-9]+ UTC \\(it is [-0-9]+ [:0-9]+ UTC on this machine\\); renew it"));
  ExpectServer(
      "TLS handshake with client: the client refused the connection: our certificate \"CN=server\" has expired, or its "
      "clock is wrong (alert 45, certificate expired)");
}

TEST_F(TlsFailureTest, NotYetValid) {
  server_options_.key_pair = KeyPairOf(Ca().Issue({.names = "DNS:a.example", .begins_in = absl::Hours(1)}));
  JoinAndFail();
  EXPECT_THAT(
      std::string(client_->error.message()),
      ::testing::MatchesRegex(
          "TLS handshake with server: the server's certificate \"CN=server\" is not valid before [-0-9]+ [:0-9]+ "
          "UTC \\(it is [-0-9]+ [:0-9]+ UTC on this machine\\); set the clock that is wrong"));
}

TEST_F(TlsFailureTest, UnknownIssuer) {
  client_options_.roots = TlsPem::Memory(TestAuthority("Other CA").certificate());
  JoinAndFail();
  ExpectClient(
      "TLS handshake with server: unknown issuer: the server's certificate \"CN=server\" was issued by \"CN=Test CA\", "
      "which is not trusted (trusted: roots (in memory), 1 certificate); if that is an intermediate one, the server "
      "must "
      "send its certificate too");
  ExpectServer(
      "TLS handshake with client: the client refused the connection: it does not trust the issuer of our certificate "
      "\"CN=server\" (alert 48, unknown CA)");
}

TEST_F(TlsFailureTest, UnknownRootThatWasSentAlong) {
  TestAuthority other("Other CA");
  TestCertificate certificate = other.Issue({.names = "DNS:a.example"});
  certificate.chain += other.certificate();
  server_options_.key_pair = KeyPairOf(certificate);
  JoinAndFail();
  ExpectClient(
      "TLS handshake with server: unknown issuer: the root \"CN=Other CA\", which the server sent with its "
      "certificate, "
      "is not trusted (trusted: roots (in memory), 1 certificate)");
}

TEST_F(TlsFailureTest, MissingIntermediate) {
  TestAuthority intermediate("Intermediate CA", Ca());
  TestCertificate certificate = intermediate.Issue({.names = "DNS:a.example"});
  server_options_.key_pair = KeyPairOf(certificate);
  Join();
  ExpectTheyCanTalk();
  certificate.chain.resize(certificate.chain.find("-----END CERTIFICATE-----") + 26);
  server_options_.key_pair = KeyPairOf(certificate);
  JoinAndFail();
  ExpectClient(
      "TLS handshake with server: unknown issuer: the server's certificate \"CN=server\" was issued by "
      "\"CN=Intermediate "
      "CA\", which is not trusted (trusted: roots (in memory), 1 certificate); if that is an intermediate one, the "
      "server "
      "must send its certificate too");
}

TEST_F(TlsFailureTest, SelfSigned) {
  const TestCertificate certificate = Ca().Issue({.names = "DNS:a.example", .self_signed = true});
  server_options_.key_pair = KeyPairOf(certificate);
  JoinAndFail();
  ExpectClient(
      "TLS handshake with server: the server's certificate \"CN=server\" is self-signed and not trusted itself "
      "(trusted: "
      "roots (in memory), 1 certificate)");
  client_options_.roots = TlsPem::Memory(certificate.chain);
  Join();
  ExpectTheyCanTalk();
}

TEST_F(TlsFailureTest, WrongPurpose) {
  server_options_.key_pair = KeyPairOf(Ca().Issue({.names = "DNS:a.example", .usage = "clientAuth"}));
  JoinAndFail();
  ExpectClient(
      "TLS handshake with server: the server's certificate \"CN=server\" may not be used by a server: its extended key "
      "usage lacks serverAuth");
}

TEST_F(TlsFailureTest, ClientCertificateMissing) {
  server_options_.client_certificates = TlsClientCertificates::kRequire;
  server_options_.client_roots = TlsPem::Memory(Ca().certificate());
  JoinAndFail();
  ExpectClient(
      "TLS with server: the server refused the connection: it requires a client certificate; set "
      "TlsChannelOptions::key_pair (alert 116, certificate required)");
  ExpectServer(
      "TLS handshake with client: client certificate: expected one that is issued by (client roots (in memory), 1 "
      "certificate), the client sent none");
}

TEST_F(TlsFailureTest, ClientCertificateRefused) {
  server_options_.client_certificates = TlsClientCertificates::kRequest;
  server_options_.client_roots = TlsPem::Memory(Ca().certificate());
  client_options_.key_pair = KeyPairOf(Ca().Issue({.common_name = "old client", .ends_in = -absl::Hours(0.5)}));
  JoinAndFail();
  ExpectClient(
      "TLS with server: the server refused the connection: our certificate \"CN=old client\" has expired, or its clock "
      "is "
      "wrong (alert 45, certificate expired)");
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_THAT(log_[0], ::testing::MatchesRegex("TLS handshake with client: the client's certificate \"CN=old client\" "
                                               "expired on .* UTC \\(it is .* on this machine\\); renew it"));
}

TEST_F(TlsFailureTest, ClientWithoutAlpn) {
  ServeRaw([](SSL_CTX*) {});
  ExpectServer(
      "TLS handshake with client: ALPN: expected \"h2\", the client offers none; a gRPC client offers it, other "
      "programs "
      "need to be told to use HTTP/2");
}

TEST_F(TlsFailureTest, ClientWithOtherAlpn) {
  ServeRaw([](SSL_CTX* context) {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>("\x08http/1.1\x08http/1.0"), 18);
  });
  ExpectServer(
      "TLS handshake with client: ALPN: expected \"h2\", the client offers \"http/1.1\", \"http/1.0\"; a gRPC client "
      "offers it, other programs need to be told to use HTTP/2");
}

TEST_F(TlsFailureTest, ServerWithoutAlpn) {
  ConnectToRaw([](SSL_CTX*) {});
  ExpectClient(
      "TLS handshake with server: ALPN: expected \"h2\", the server chose no protocol: it speaks TLS, but not HTTP/2 "
      "on "
      "this port");
}

TEST_F(TlsFailureTest, ServerThatRefusesOurAlpn) {
  ConnectToRaw([](SSL_CTX* context) {
    SSL_CTX_set_alpn_select_cb(
        context,
        [](SSL*, const unsigned char**, unsigned char*, const unsigned char*, unsigned int, void*) {
          return SSL_TLSEXT_ERR_ALERT_FATAL;
        },
        nullptr);
  });
  ExpectClient(
      "TLS handshake with server: the server refused the connection: ALPN: it does not speak \"h2\" on this port "
      "(alert "
      "120, no application protocol)");
}

TEST_F(TlsFailureTest, ClientTooOld) {
  ServeRaw([](SSL_CTX* context) {
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    OfferH2(context);
  });
  ExpectServer(
      "TLS handshake with client: protocol version: expected TLS 1.2 or newer, the client offers at most TLS 1.1");
}

TEST_F(TlsFailureTest, ClientTooOldForAServerOfTls13) {
  server_options_.min_version = TlsVersion::k13;
  ServeRaw([](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    OfferH2(context);
  });
  ExpectServer("TLS handshake with client: protocol version: expected TLS 1.3, the client offers at most TLS 1.2");
}

TEST_F(TlsFailureTest, ServerTooOld) {
  ConnectToRaw([](SSL_CTX* context) {
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  });
  ExpectClient(
      "TLS handshake with server: the server refused the connection: no protocol version in common: we speak TLS 1.2 "
      "and "
      "1.3 (alert 70, protocol version)");
}

TEST_F(TlsFailureTest, NoSharedCipherSuite) {
  ServeRaw([](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "AES128-SHA:AES256-SHA");
    OfferH2(context);
  });
  ExpectServer(
      "TLS handshake with client: cipher suites: expected one with ECDHE and AEAD (RFC 9113 section 9.2.2) that our "
      "certificate's key can serve, the client offers AES128-SHA, AES256-SHA");
}

TEST_F(TlsFailureTest, ServerWithoutASharedCipherSuite) {
  ConnectToRaw([](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-SHA");
  });
  ExpectClient(
      "TLS handshake with server: the server refused the connection: no cipher suite or key in common: expected TLS "
      "1.3, "
      "or TLS 1.2 with ECDHE and AEAD (RFC 9113 section 9.2.2) (alert 40, handshake failure)");
}

TEST_F(TlsFailureTest, PlaintextClients) {
  constexpr std::string_view kAnswer =
      "HTTP/1.1 400 This port speaks TLS\r\nContent-Type: text/plain\r\nContent-Length: 56\r\nConnection: close\r\n\r\n"
      "This port speaks TLS only; the request was in plaintext\n";
  EXPECT_EQ(TellServer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), kAnswer);
  ExpectServer(
      "TLS handshake with client: expected a TLS handshake, got plaintext HTTP/2: the client does not use TLS; use TLS "
      "on "
      "both sides or on none");
  log_.clear();
  EXPECT_EQ(TellServer("GET /health HTTP/1.1\r\n\r\n"), kAnswer);
  ExpectServer(
      "TLS handshake with client: expected a TLS handshake, got plaintext HTTP/1: the client does not use TLS; use TLS "
      "on "
      "both sides or on none");
  log_.clear();
  TellServer("EHLO mail.example\r\n");
  ExpectServer(
      "TLS handshake with client: expected a TLS handshake, got \"EHLO mai\": the client does not use TLS; use TLS on "
      "both "
      "sides or on none");
}

TEST_F(TlsFailureTest, PlaintextServers) {
  TellClient(std::string_view("\0\0\0\x04\0\0\0\0\0", 9));
  ExpectClient(
      "TLS handshake with server: expected a TLS handshake, got plaintext HTTP/2: this port of the server is "
      "plaintext; "
      "use TLS on both sides or on none");
  TellClient("HTTP/1.1 400 Bad Request\r\n\r\n");
  ExpectClient(
      "TLS handshake with server: expected a TLS handshake, got plaintext HTTP/1: this port of the server is "
      "plaintext; "
      "use TLS on both sides or on none");
  TellClient("SSH-2.0-OpenSSH_9.2\r\n");
  ExpectClient(
      "TLS handshake with server: expected a TLS handshake, got \"SSH-2.0-\": this port of the server is plaintext; "
      "use "
      "TLS on both sides or on none");
}

TEST_F(TlsFailureTest, PeersThatSayNothing) {
  TellClient("");
  ExpectClient("TLS handshake with server: the server closed the connection without a word; does this port speak TLS?");
  TellServer("");
  EXPECT_EQ(Message(server_->error), "TLS handshake with client: the client closed the connection without a word");
  EXPECT_TRUE(log_.empty()) << "somebody looked whether the port is open";
  TellServer("\x16\x03\x01");
  ExpectServer("TLS handshake with client: the client closed the connection in the middle of the handshake");
}

TEST_F(TlsFailureTest, TheOperatorGetsOneLineASecondAndTheirNumber) {
  for (int i = 0; i < 5; ++i) {
    TellServer("nonsense");
    server_.reset();
  }
  // A security of its own each time: the limit belongs to the credentials.
  EXPECT_EQ(log_.size(), 5u);
  log_.clear();
  const std::shared_ptr<StreamSecurity> security = MakeTlsServerSecurity(server_options_);
  const auto refuse_one = [&] {
    auto [peer_end, server_end] = MakeMemoryStreamPair(loop_, {.first_name = "client"});
    StreamUser server(security->Secure(loop_, std::move(server_end), ""));
    StreamUser peer(std::move(peer_end));
    peer.Send("nonsense");
    loop_.RunUntilIdle();
  };
  for (int i = 0; i < 5; ++i) refuse_one();
  EXPECT_EQ(log_.size(), 1u);
  loop_.Advance(std::chrono::seconds(1));
  refuse_one();
  ASSERT_EQ(log_.size(), 2u);
  EXPECT_THAT(log_[1], ::testing::EndsWith(" (and 4 more since the last such line)"));
}

}  // namespace
}  // namespace weir::transport
