// ClientStream: a stream of the client's side that is not a multiplexer's: what only servers ask of a stream does
// nothing.
#pragma once

#include <memory>
#include <string_view>

#include "weir/rpc/core/message_stream.h"

namespace weir {

class ClientStream : public MessageStream {
 public:
  void DecompressBy(const Compressor&) override {}
  void SendInitialMetadata(const Metadata&, const Compressor*) override {}
  bool Finish(const absl::Status&, const Metadata&) override { return true; }
  void WatchSending(std::unique_ptr<SendingWatch>) override {}
  void FinishNow(const absl::Status&) override {}
  void Refuse(int, const absl::Status&) override {}
  bool AnswerPage(std::string_view, const absl::Status&) override { return true; }

 protected:
  ~ClientStream() = default;
};

}  // namespace weir
