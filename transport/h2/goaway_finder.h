// GoAwayFinder: where in a client's bytes the last-stream-id of a GOAWAY ends.
//
// A client's GOAWAY names the last stream that *we* opened, so its id is even or 0 (RFC 9113 section 6.8), and nghttp2 ends the
// connection for any other. But clients exist that send 1 (Envoy 1.31) or 2^31-1 when they close in good order, with calls still
// under way. The session clears the odd bit before the engine sees it; this says where it is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::transport {

class GoAwayFinder {
 public:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  // Walks over the next bytes of the connection, up to the octet that ends such an id: returns its index in `bytes`, and goes
  // on behind it the next time. kNone: all bytes have been walked over.
  size_t Find(std::string_view bytes) {
    size_t at = 0;
    while (true) {
      if (header_octets_ == 0) at = SkipWholeFrames(bytes, at);
      if (at == bytes.size()) return kNone;
      if (header_octets_ < kHeaderOctets && !TakeHeader(bytes, &at)) return kNone;
      const size_t taken = std::min<size_t>(bytes.size() - at, payload_left_);
      if (id_octets_left_ != 0 && taken >= id_octets_left_) {
        at += id_octets_left_;
        payload_left_ -= id_octets_left_;
        id_octets_left_ = 0;
        return at - 1;
      }
      if (id_octets_left_ != 0) id_octets_left_ -= static_cast<uint8_t>(taken);
      at += taken;
      payload_left_ -= static_cast<uint32_t>(taken);
      if (payload_left_ == 0) header_octets_ = 0;
    }
  }

 private:
  static constexpr uint8_t kHeaderOctets = 9;  // length (3), type, flags, stream (4)
  static constexpr uint8_t kGoAway = 7;
  static constexpr uint8_t kIdOctets = 4;

  // Where the first frame begins that is a GOAWAY or goes on behind `bytes`: nearly all reads have none.
  static size_t SkipWholeFrames(std::string_view bytes, size_t at) {
    while (bytes.size() - at >= kHeaderOctets) {
      const auto* header = reinterpret_cast<const unsigned char*>(bytes.data()) + at;
      const size_t payload = static_cast<size_t>(header[0]) << 16 | static_cast<size_t>(header[1]) << 8 | header[2];
      if (header[3] == kGoAway || bytes.size() - at - kHeaderOctets < payload) break;
      at += kHeaderOctets + payload;
    }
    return at;
  }

  // Takes octets of a header. False: `bytes` end inside it.
  bool TakeHeader(std::string_view bytes, size_t* at) {
    for (; *at < bytes.size() && header_octets_ < kHeaderOctets; ++*at, ++header_octets_) {
      const auto octet = static_cast<unsigned char>(bytes[*at]);
      if (header_octets_ == 0) payload_left_ = 0;
      if (header_octets_ < 3) payload_left_ = payload_left_ << 8 | octet;
      if (header_octets_ == 3) id_octets_left_ = octet == kGoAway ? kIdOctets : 0;
    }
    return header_octets_ == kHeaderOctets;
  }

  uint32_t payload_left_ = 0;
  uint8_t header_octets_ = 0;   // of the header that is being read; all: inside its payload
  uint8_t id_octets_left_ = 0;  // of a GOAWAY whose id has not ended
};

}  // namespace weir::transport
