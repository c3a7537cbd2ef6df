// WriteOptions: what may be set for one message.
//
//   co_await out.Write(note, weir::WriteOptions().Uncompressed());
#pragma once

namespace weir {

class WriteOptions {
 public:
  WriteOptions() {}

  // Sends the message as it is, in a call that compresses: for what is compressed already, or must not be beside
  // secrets (CRIME, BREACH).
  WriteOptions& Uncompressed() {
    uncompressed_ = true;
    return *this;
  }

  bool uncompressed() const { return uncompressed_; }

 private:
  bool uncompressed_ = false;
};

}  // namespace weir
