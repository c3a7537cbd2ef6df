// CallStream: one HTTP/2 stream as messages: the envelope reader and the flow-control account of its receiving half,
// the backlog of its sending half.
//
//   receiving   kHead --head--> kBody --END_STREAM--> kEnding --all messages taken--> kEnded
//   sending     kHead --first message--> kBody --HalfClose / Finish--> kEnding --all bytes accepted--> kEnded
//
// Owned by the multiplexer. Its observer (the call) may leave before it: then it only sends what is still to be sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "weir/rpc/core/message_stream.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/wire/envelope.h"
#include "weir/rpc/wire/protocol.h"
#include "weir/transport/h2/connection.h"
#include "weir/transport/memory/block_pool.h"

namespace weir::mux {

class StreamMultiplexer;

class CallStream final : public MessageStream, public transport::Pooled {
 public:
  CallStream(StreamMultiplexer& mux, transport::StreamId id, const wire::Protocol& protocol);
  CallStream(const CallStream&) = delete;
  CallStream& operator=(const CallStream&) = delete;
  ~CallStream() = default;

  transport::StreamId id() const { return id_; }

  // ---- MessageStream: what the call asks for
  void Bind(StreamObserver& observer) override { observer_ = &observer; }
  std::string_view peer() const override;
  void DecompressBy(const Compressor& compressor) override { decompressor_ = &compressor; }
  void WantMessage() override;
  void WantNoMessage() override { wanted_ = false; }
  void ExpectMessage() override { expected_ = true; }
  void LimitMessages(size_t bytes_max) override { reader_.LimitMessages(bytes_max); }
  char* Reserve(size_t bytes) override;
  bool SendMessage(transport::SharedBytes framed) override;
  void SendInitialMetadata(const Metadata& initial, const Compressor* compressor) override;
  void HalfClose() override;
  bool Finish(const absl::Status& status, const Metadata& trailing) override;
  void WatchSending(std::unique_ptr<SendingWatch> watch) override;
  void FinishNow(const absl::Status& error) override;
  void Refuse(int http_status, const absl::Status& status) override;
  bool AnswerPage(std::string_view text, const absl::Status& status) override;
  void Cancel(const absl::Status& status) override;

  // ---- events of the stream, from the multiplexer
  void OnResponseHead(const transport::H2ResponseReceived& event);
  void OnBody(const transport::BodyReceived& body);
  void OnTrailers(const transport::HeaderList& fields);
  void OnRequestEnd();  // the request's head was all of it
  // The stream or its connection is lost. A response that is complete is still delivered, message by message.
  void OnLost(const absl::Status& status);
  void OnReset(const absl::Status& status);
  void OnRemoved();  // from the multiplexer's table: the transport has taken back all window
  void ReturnWithheld();
  void OnWindow();  // flow control may accept more
  void OnTurn();    // a compressed message that waited may be delivered
  bool HasBacklog() const { return backlog_ != nullptr; }
  // Counts how often it was asked in a row while the application waited for the rest of a message and nothing came.
  size_t CountStall();

 private:
  friend class StreamMultiplexer;

  enum class Half : uint8_t { kHead, kBody, kEnding, kEnded };

  bool is_server() const;
  transport::H2Connection& connection() const;

  Metadata DecodeMetadata(const transport::HeaderList& fields) const;
  void HandOver();
  void Deliver();
  void DeliverMessages();
  bool DeliverDecompressed(const transport::ChunkedBytes& payload);
  void DeliverEnd();
  void CountHeld();
  void ReturnWindow();
  void ReturnNow(size_t due);
  void EndReceiving(absl::Status status, Metadata trailing);
  void Abort(absl::Status status);

  // What flow control has not yet accepted, and what follows it. Few streams have any at a time.
  struct Backlog final : transport::Pooled {
    explicit Backlog(StreamMultiplexer& m) : mux(m) {}
    ~Backlog() { Count(0 - bytes); }
    void Count(size_t change);  // modulo 2^n

    StreamMultiplexer& mux;
    size_t bytes = 0;      // of messages, the first one included as a whole: until its end has left, its memory is held
    size_t cut_bytes = 0;  // of the first message have left
    std::vector<transport::SharedBytes> messages;
    transport::HeaderList trailers;       // of a server's call that has ended
    std::unique_ptr<SendingWatch> watch;  // of a server's call; may be null
  };

  bool SendBacklog();
  void WaitForWindow();
  void SendHead(const Metadata& initial, const Compressor* compressor);
  void SendEnd(const transport::HeaderList& trailers);
  void StopSending();
  void SendTrailers(const transport::HeaderList& trailers);
  void SendWhyUnsendable(const absl::Status& why);
  void LeaveObserver();

  StreamMultiplexer& mux_;
  const transport::StreamId id_;
  const wire::Protocol& protocol_;
  StreamObserver* observer_ = nullptr;

  // receiving
  wire::EnvelopeReader reader_;
  const Compressor* decompressor_ = nullptr;  // null: the peer's head names no encoding
  size_t unreturned_bytes_ = 0;               // received, and not yet given back to the peer's window
  size_t withheld_bytes_ = 0;                 // those of them that are due, but too few to be worth a frame
  Half receiving_ = Half::kHead;
  bool wanted_ = false;
  bool expected_ = false;
  bool delivering_ = false;
  bool waits_for_turn_ = false;  // with the next message, and with all that follows it
  // Client, in kEnding: held until every message before it is taken.
  absl::Status end_status_;
  Metadata end_trailing_;

  // sending
  Half sending_ = Half::kHead;
  std::unique_ptr<Backlog> backlog_;  // null: flow control has accepted everything

  // the multiplexer's list of streams
  CallStream* previous_ = nullptr;
  CallStream* next_ = nullptr;
  bool removed_ = false;  // from that list

  uint8_t stalls_ = 0;         // see CountStall
  uint32_t counted_held_ = 0;  // bytes of messages that wait for their rest or their reader, in the account
};

}  // namespace weir::mux
