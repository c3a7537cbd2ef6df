#include "weir/transport/io/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/tests/transport/io/tls_harness.h"
#include "weir/transport/io/tls_handles.h"

namespace weir::transport {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Text(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + (i * 31 + i / 251) % 26);
  return text;
}

TEST_F(TlsTest, BytesArriveInBothDirectionsAndNothingIsLeft) {
  Join();
  ExpectTheyCanTalk();
  EXPECT_TRUE(client_->stream->IsEncrypted());
  EXPECT_EQ(client_->stream->PeerName(), "server") << "the name of the stream below";
  EXPECT_EQ(loop_.timers(), 0u) << "the handshake's time limit is over";
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(TlsTest, WhatIsWrittenBeforeTheHandshakeIsOverWaits) {
  Join();
  client_->Send("early");
  EXPECT_EQ(client_->unsent_bytes(), 5u);
  loop_.RunUntilIdle();
  EXPECT_EQ(client_->unsent_bytes(), 0u);
  EXPECT_EQ(server_->received, "early");
}

TEST_F(TlsTest, TheHandshakeSurvivesEveryWayToCutItsBytes) {
  for (const size_t cut : {1, 2, 3, 5, 7, 16, 100, 1000}) {
    SCOPED_TRACE(cut);
    Join({.read_bytes_max = cut});
    ExpectTheyCanTalk();
    Join({.write_bytes_max = cut});
    ExpectTheyCanTalk();
    Join({.capacity_bytes = cut});
    ExpectTheyCanTalk();
  }
}

TEST_F(TlsTest, MegabytesPassThroughASmallPipeInOrder) {
  const std::string text = Text(3 << 20);
  Join({.capacity_bytes = 10'000});
  client_->Send(text);
  server_->Send(text);
  loop_.RunUntilIdle(1'000'000);
  EXPECT_TRUE(server_->received == text);
  EXPECT_TRUE(client_->received == text);
}

TEST_F(TlsTest, AWriterWaitsForAReaderThatDoesNotReadAndGoesOnWithIt) {
  Join({.capacity_bytes = 50'000});
  ExpectTheyCanTalk();
  server_->reading = false;
  const std::string text = Text(2 << 20);
  client_->Send(text);
  loop_.RunUntilIdle();
  const size_t held = text.size() - client_->unsent_bytes();
  EXPECT_LE(held, 50'000 + TlsStream::kQueuedBytesMax + 64 * 1024) << "a bounded number of bytes is taken";
  server_->StartReading();
  loop_.RunUntilIdle(100'000);
  EXPECT_EQ(client_->unsent_bytes(), 0u);
  EXPECT_TRUE(server_->received == "ping" + text);
}

TEST_F(TlsTest, ShutdownWriteEndsOneDirectionAfterAllThatWasWritten) {
  Join({.capacity_bytes = 20'000});
  ExpectTheyCanTalk();
  const std::string text = Text(100'000);
  client_->Send(text);
  loop_.RunUntilIdle();
  client_->stream->ShutdownWrite();
  loop_.RunUntilIdle();
  EXPECT_TRUE(server_->received == "ping" + text);
  EXPECT_TRUE(server_->ended) << server_->error;
  EXPECT_FALSE(client_->ended);
  server_->Send("still open");
  loop_.RunUntilIdle();
  EXPECT_EQ(client_->received, "pongstill open");
  server_->stream->ShutdownWrite();
  loop_.RunUntilIdle();
  EXPECT_TRUE(client_->ended) << client_->error;
}

TEST_F(TlsTest, TheEndIsToldOnlyWhenWhatWasWrittenHasLeft) {
  Join({.capacity_bytes = 1'000});
  ExpectTheyCanTalk();
  server_->reading = false;
  client_->Send(Text(20'000));
  loop_.RunUntilIdle();
  ASSERT_EQ(client_->unsent_bytes(), 0u) << "taken, but most of it is on this side of the pipe";
  client_->stream->ShutdownWrite();
  server_->stream->ShutdownWrite();
  loop_.RunUntilIdle();
  EXPECT_FALSE(client_->ended) << "who is told the end closes the stream, and with it what waits in it";
  server_->StartReading();
  loop_.RunUntilIdle();
  EXPECT_EQ(server_->received.size(), 20'004u);
  EXPECT_TRUE(client_->ended);
  EXPECT_TRUE(server_->ended);
}

TEST_F(TlsTest, AnEndWithoutCloseNotifyIsAnError) {
  Join();
  ExpectTheyCanTalk();
  client_end_->ShutdownWrite();  // as if somebody on the way had cut the connection
  loop_.RunUntilIdle();
  EXPECT_FALSE(server_->ended);
  EXPECT_EQ(
      server_->error.message(),
      "TLS with client: the client closed the connection without TLS's close_notify: what it sent last may be lost");
}

// As grpc++ 1.51 refuses certificates of clients: without an alert.
TEST_F(TlsTest, AServerThatEndsBeforeItSentAnythingMayNotLikeTheClientsCertificate) {
  Join();
  loop_.RunUntilIdle();
  server_->stream->ShutdownWrite();
  loop_.RunUntilIdle();
  EXPECT_EQ(client_->error.message(),
            "TLS with server: the server closed the connection; does it require a client certificate "
            "(TlsChannelOptions::key_pair)?");
  client_options_.key_pair = KeyPairOf(Ca().Issue({.common_name = "client"}));
  Join();
  loop_.RunUntilIdle();
  client_end_->FailWith(absl::UnavailableError("read from server: Connection reset by peer"));
  loop_.RunUntilIdle();
  EXPECT_EQ(client_->error.message(),
            "read from server: Connection reset by peer; does it accept our certificate \"CN=client\"?");
}

TEST_F(TlsTest, AnErrorOfTheStreamBelowIsToldAsItIs) {
  Join();
  ExpectTheyCanTalk();
  client_end_->FailWith(absl::UnavailableError("read from server: Connection reset by peer"));
  loop_.RunUntilIdle();
  EXPECT_EQ(client_->error.message(), "read from server: Connection reset by peer");
}

TEST_F(TlsTest, AHandshakeThatIsCutAfterAnyByteFailsOnBothSidesWithoutCrash) {
  size_t failures = 0;
  for (size_t cut = 0; cut < 2'000; cut += cut < 100 ? 3 : 23) {
    SCOPED_TRACE(cut);
    Join();
    size_t let_through = 0;  // of the server's bytes
    auto [client_end, middle_client] = MakeMemoryStreamPair(loop_);
    auto [middle_server, server_end] = MakeMemoryStreamPair(loop_);
    StreamUser client(client_security_->Secure(loop_, std::move(client_end), "a.example"));
    StreamUser server(server_security_->Secure(loop_, std::move(server_end), ""));
    StreamUser to_client(std::move(middle_client));
    StreamUser to_server(std::move(middle_server));
    for (int round = 0; round < 10; ++round) {
      loop_.RunUntilIdle();
      to_server.Send(std::exchange(to_client.received, ""));
      const std::string answer = std::exchange(to_server.received, "");
      const size_t passed = std::min(answer.size(), cut - let_through);
      let_through += passed;
      to_client.Send(answer.substr(0, passed));
      if (let_through == cut) break;
    }
    to_client.stream->ShutdownWrite();
    to_server.stream->ShutdownWrite();
    loop_.RunUntilIdle();
    loop_.Advance(TlsStream::kRefusalTime);
    EXPECT_FALSE(client.error.ok() && server.error.ok());
    EXPECT_FALSE(client.ended || server.ended) << "no end in good order";
    failures += client.error.ok() ? 0 : 1;
  }
  EXPECT_GT(failures, 50u);
}

TEST_F(TlsTest, AHandshakeHasItsTime) {
  for (const bool silent : {true, false}) {
    server_security_ = MakeTlsServerSecurity(server_options_);
    auto [peer_end, server_end] = MakeMemoryStreamPair(loop_, {.first_name = "client"});
    StreamUser peer(std::move(peer_end));
    StreamUser server(server_security_->Secure(loop_, std::move(server_end), ""));
    if (!silent) peer.Send(std::string_view("\x16\x03\x01\x02\x00", 5));
    loop_.Advance(std::chrono::milliseconds(9'999));
    EXPECT_TRUE(server.error.ok()) << "not yet";
    loop_.Advance(std::chrono::milliseconds(1));
    EXPECT_EQ(server.error.message(),
              std::string("TLS handshake with client: not finished within 10000 ms: the peer ") +
                  (silent ? "has not said a word" : "has stopped in the middle of it"));
    EXPECT_EQ(loop_.timers(), 0u);
  }
  EXPECT_EQ(log_.size(), 1u) << "a connection without a byte is not worth a line";
}

TEST_F(TlsTest, TheObserverMayDestroyTheStreamWhenItIsTold) {
  client_options_.roots = TlsPem::Memory(TestAuthority("Other CA").certificate());
  Join();
  client_->destroy_on_error = server_->destroy_on_error = true;
  loop_.RunUntilIdle();
  loop_.Advance(TlsStream::kRefusalTime);
  EXPECT_EQ(client_->stream, nullptr);
  EXPECT_EQ(server_->stream, nullptr);
}

TEST_F(TlsTest, TheSecondConnectionResumesTheSessionOfTheFirst) {
  Join();
  ExpectTheyCanTalk();
  EXPECT_FALSE(static_cast<TlsStream&>(*client_->stream).was_resumed());
  JoinAgain();
  ExpectTheyCanTalk();
  EXPECT_TRUE(static_cast<TlsStream&>(*client_->stream).was_resumed());
  JoinAgain({}, "x.b.example");
  ExpectTheyCanTalk();
  EXPECT_FALSE(static_cast<TlsStream&>(*client_->stream).was_resumed()) << "another name was never verified";
}

TEST_F(TlsTest, AConnectionNeedsAName) {
  client_security_ = MakeTlsClientSecurity(client_options_);
  auto [client_end, server_end] = MakeMemoryStreamPair(loop_);
  const std::unique_ptr<ByteStream> stream = client_security_->Secure(loop_, std::move(client_end), "");
  StreamUser* const nobody = nullptr;
  EXPECT_THAT(stream->Start(nobody).message(), HasSubstr("expected a host name or address to verify, got \"\""));
}

// ---- a peer that floods ---------------------------------------------------------------------------------------------

// Takes output only while it is open.
class Gate final : public ByteStream {
 public:
  explicit Gate(std::unique_ptr<MemoryStream> stream) : stream_(std::move(stream)) {}

  absl::Status Start(ByteStreamObserver* observer) override {
    observer_ = observer;
    return stream_->Start(observer);
  }
  IoResult Read(std::span<char> buffer) override { return stream_->Read(buffer); }
  IoResult Write(std::span<const std::string_view> pieces) override {
    return open_ ? stream_->Write(pieces) : IoResult{.kind = IoResult::Kind::kWouldBlock};
  }
  void ShutdownWrite() override { stream_->ShutdownWrite(); }
  std::string PeerName() const override { return stream_->PeerName(); }
  std::string LocalName() const override { return stream_->LocalName(); }

  size_t unread_bytes() const { return stream_->unread_bytes(); }
  void Close() { open_ = false; }
  void Open() {
    open_ = true;
    observer_->OnWritable();
  }

 private:
  const std::unique_ptr<MemoryStream> stream_;
  ByteStreamObserver* observer_ = nullptr;
  bool open_ = true;
};

// A client that is OpenSSL alone, with a server of ours.
class TlsFloodTest : public TlsTest {
 protected:
  TlsFloodTest() : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
    SSL_CTX_set_alpn_protos(context_.get(), reinterpret_cast<const unsigned char*>("\x02h2"), 3);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_.get());
    server_security_ = MakeTlsServerSecurity(server_options_);
    auto [peer_end, server_end] = MakeMemoryStreamPair(loop_, {.capacity_bytes = 16 << 20});
    auto gate = std::make_unique<Gate>(std::move(server_end));
    gate_ = gate.get();
    peer_ = std::make_unique<StreamUser>(std::move(peer_end));
    server_ = std::make_unique<StreamUser>(server_security_->Secure(loop_, std::move(gate), ""));
    for (int round = 0; round < 4; ++round) {
      SSL_do_handshake(ssl_.get());
      SendToServer();
      loop_.RunUntilIdle();
      TakeFromServer();
    }
    EXPECT_TRUE(SSL_is_init_finished(ssl_.get()));
  }

  // Every so many KeyUpdates a byte of data; 0: none. Returns how many bytes of data there are.
  size_t Flood(int updates, int updates_per_byte) {
    size_t bytes = 0;
    for (int i = 1; i <= updates; ++i) {
      EXPECT_EQ(SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED), 1);
      EXPECT_EQ(SSL_do_handshake(ssl_.get()), 1);
      if (updates_per_byte != 0 && i % updates_per_byte == 0) bytes += SSL_write(ssl_.get(), "x", 1) == 1 ? 1 : 0;
    }
    return bytes;
  }
  void SendToServer() {
    char* data = nullptr;
    const long bytes = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
    peer_->Send({data, static_cast<size_t>(bytes)});
    (void)BIO_reset(SSL_get_wbio(ssl_.get()));
    EXPECT_EQ(peer_->unsent_bytes(), 0u);
  }
  // What the server has said.
  std::string TakeFromServer() {
    const std::string bytes = std::exchange(peer_->received, "");
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    std::array<char, 100> text;
    const int count = SSL_read(ssl_.get(), text.data(), text.size());
    return {text.data(), static_cast<size_t>(std::max(count, 0))};
  }

  SslContextPtr context_;
  SslPtr ssl_;
  std::unique_ptr<StreamUser> peer_;  // below its TLS
  Gate* gate_ = nullptr;
};

// A server that is OpenSSL alone, with a client of ours. Its ticket is longer than its records.
class TlsTicketTest : public TlsTest {
 protected:
  TlsTicketTest() : context_(SSL_CTX_new(TLS_server_method())) {
    const TestCertificate& certificate = SharedServerCertificate();
    BioPtr chain(BIO_new_mem_buf(certificate.chain.data(), static_cast<int>(certificate.chain.size())));
    BioPtr key(BIO_new_mem_buf(certificate.key.data(), static_cast<int>(certificate.key.size())));
    X509* const x509 = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr);
    EVP_PKEY* const pkey = PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context_.get(), x509);
    SSL_CTX_use_PrivateKey(context_.get(), pkey);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    SSL_CTX_set_num_tickets(context_.get(), 1);
    SSL_CTX_set_max_send_fragment(context_.get(), 512);
    SSL_CTX_set_session_ticket_cb(
        context_.get(),
        [](SSL* ssl, void*) {
          const std::string data(2000, 'x');
          return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data.data(), data.size());
        },
        nullptr, nullptr);
    SSL_CTX_set_alpn_select_cb(
        context_.get(),
        [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned, void*) {
          *out = in + 1;
          *size = in[0];
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
    client_security_ = MakeTlsClientSecurity(client_options_);
    auto [client_end, peer_end] = MakeMemoryStreamPair(loop_, {});
    peer_ = std::make_unique<StreamUser>(std::move(peer_end));
    client_ = std::make_unique<StreamUser>(client_security_->Secure(loop_, std::move(client_end), "a.example"));
    for (int round = 0; round < 3 && !SSL_is_init_finished(ssl_.get()); ++round) {
      if (round > 0) peer_->Send(TakeRecords());
      loop_.RunUntilIdle();
      TakeFromClient();
    }
    EXPECT_TRUE(SSL_is_init_finished(ssl_.get()));
  }

  // What the client has said.
  std::string TakeFromClient() {
    const std::string bytes = std::exchange(peer_->received, "");
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    std::array<char, 100> text;
    const int count = SSL_read(ssl_.get(), text.data(), text.size());
    return {text.data(), static_cast<size_t>(std::max(count, 0))};
  }
  // What the server wants to say.
  std::string TakeRecords() {
    char* data = nullptr;
    const long bytes = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
    std::string records(data, static_cast<size_t>(bytes));
    (void)BIO_reset(SSL_get_wbio(ssl_.get()));
    return records;
  }

  SslContextPtr context_;
  SslPtr ssl_;
  std::unique_ptr<StreamUser> peer_;  // below its TLS
};

TEST_F(TlsTicketTest, WhatIsWrittenInTheMiddleOfATicketWaitsForItsEnd) {
  const std::string ticket = TakeRecords();
  ASSERT_GT(ticket.size(), 2000u) << "several records";
  peer_->Send(std::string_view(ticket).substr(0, ticket.size() / 2));
  loop_.RunUntilIdle();
  client_->Send("ping");
  loop_.RunUntilIdle();
  EXPECT_EQ(client_->write_error, absl::OkStatus());
  EXPECT_EQ(client_->unsent_bytes(), 4u);
  EXPECT_EQ(TakeFromClient(), "");
  peer_->Send(std::string_view(ticket).substr(ticket.size() / 2));
  loop_.RunUntilIdle();
  EXPECT_EQ(TakeFromClient(), "ping");
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(TlsTicketTest, AWriterThatDoesNotReadGetsTheEndOfTheTicketItself) {
  const std::string ticket = TakeRecords();
  peer_->Send(std::string_view(ticket).substr(0, ticket.size() / 2));
  loop_.RunUntilIdle();
  client_->reading = false;
  client_->Send("ping");
  EXPECT_EQ(client_->unsent_bytes(), 4u);
  peer_->Send(std::string_view(ticket).substr(ticket.size() / 2));
  loop_.RunUntilIdle();
  EXPECT_EQ(TakeFromClient(), "ping");
  client_->StartReading();
  SSL_write(ssl_.get(), "pong", 4);
  peer_->Send(TakeRecords());
  loop_.RunUntilIdle();
  EXPECT_EQ(client_->received, "pong");
}

constexpr int kFloodUpdates = 20'000;  // 27 bytes each

TEST_F(TlsFloodTest, OfAPeerThatDoesNotReadOnlySoMuchIsTakenAsMayWaitForAnAnswer) {
  gate_->Close();
  Flood(kFloodUpdates, 0);
  SSL_write(ssl_.get(), "ping", 4);
  SendToServer();
  const size_t sent = gate_->unread_bytes();
  ASSERT_GT(sent, TlsStream::kUnansweredBytesMax + 200'000);
  loop_.RunUntilIdle(1'000);
  EXPECT_LE(sent - gate_->unread_bytes(), TlsStream::kUnansweredBytesMax + 64 * 1024) << "each has an answer as long";
  EXPECT_EQ(loop_.timers(), 0u) << "it waits, and does not ask again";
  gate_->Open();
  loop_.RunUntilIdle(1'000);
  EXPECT_EQ(server_->received, "ping") << server_->error;
  server_->Send("pong");
  loop_.RunUntilIdle();
  EXPECT_EQ(TakeFromServer(), "pong");
}

TEST_F(TlsFloodTest, OfAPeerThatReadsATurnTakesAShare) {
  std::string data;
  for (const int updates_per_byte : {0, 1'000, 10}) {
    SCOPED_TRACE(updates_per_byte);
    data.append(Flood(kFloodUpdates / 2, updates_per_byte), 'x');
    SSL_write(ssl_.get(), "ping", 4);
    data.append("ping");
    SendToServer();
    size_t most = 0;
    for (bool more = true; more;) {
      const size_t before = gate_->unread_bytes();
      more = loop_.RunTurn();
      most = std::max(most, before - gate_->unread_bytes());
    }
    EXPECT_LE(most, TlsStream::kReadAheadBytesMax + 32 * 1024);
    EXPECT_TRUE(server_->received == data) << server_->error;
    EXPECT_EQ(loop_.timers(), 0u);
    server_->Send("pong");
    loop_.RunUntilIdle();
    EXPECT_EQ(TakeFromServer(), "pong");
  }
}

}  // namespace
}  // namespace weir::transport
