#include "weir/rpc/wire/zlib_compressor.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

enum class Format : uint8_t { kGzip, kZlib };

// deflateInit2, inflateInit2: 15 is the largest window, 16 more asks for gzip's header and trailer.
int WindowBits(Format format) { return format == Format::kGzip ? 15 + 16 : 15; }

absl::Status Fault(const char* what, const z_stream& z) {
  return absl::InternalError(z.msg == nullptr ? what : absl::StrCat(what, ": ", z.msg));
}

// zlib's states are large (a deflating one 256 KiB, an inflating one 44) and may be used again: each thread keeps one
// of each kind that it has needed.
class Deflating {
 public:
  explicit Deflating(Format format)
      : made_(deflateInit2(&z_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WindowBits(format), /*memLevel=*/8,
                           Z_DEFAULT_STRATEGY)) {}
  Deflating(const Deflating&) = delete;
  Deflating& operator=(const Deflating&) = delete;
  ~Deflating() {
    if (made_ == Z_OK) deflateEnd(&z_);
  }

  // Null if there was no memory for it.
  static z_stream* OfThread(Format format) {
    return format == Format::kGzip ? Of<Format::kGzip>() : Of<Format::kZlib>();
  }

 private:
  template <Format format>
  static z_stream* Of() {
    static thread_local Deflating state(format);
    return state.made_ == Z_OK && deflateReset(&state.z_) == Z_OK ? &state.z_ : nullptr;
  }

  z_stream z_{};
  const int made_;
};

class Inflating {
 public:
  Inflating() : made_(inflateInit2(&z_, WindowBits(Format::kZlib))) {}
  Inflating(const Inflating&) = delete;
  Inflating& operator=(const Inflating&) = delete;
  ~Inflating() {
    if (made_ == Z_OK) inflateEnd(&z_);
  }

  // One for both formats.
  static z_stream* OfThread(Format format) {
    static thread_local Inflating state;
    return state.made_ == Z_OK && inflateReset2(&state.z_, WindowBits(format)) == Z_OK ? &state.z_ : nullptr;
  }

 private:
  z_stream z_{};
  const int made_;
};

void SetInput(z_stream& z, std::string_view bytes) {
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
}

// The room of `out` from `made` on, or as much of it as zlib can count.
void SetRoom(z_stream& z, std::string& out, size_t made) {
  z.next_out = reinterpret_cast<Bytef*>(out.data() + made);
  z.avail_out = static_cast<uInt>(std::min<size_t>(out.size() - made, std::numeric_limits<uInt>::max()));
}

class ZlibCompressor final : public Compressor {
 public:
  explicit ZlibCompressor(Format format) : format_(format) {}

  std::string_view name() const override { return format_ == Format::kGzip ? "gzip" : "deflate"; }
  absl::Status Compress(std::string_view message, std::string* out) const override;
  absl::Status Decompress(std::string_view compressed, size_t bytes_max, std::string* out) const override;

 private:
  const Format format_;
};

absl::Status ZlibCompressor::Compress(std::string_view message, std::string* out) const {
  if (message.size() > std::numeric_limits<uInt>::max()) return absl::InternalError("more than 4 GiB");
  z_stream* const z = Deflating::OfThread(format_);
  if (z == nullptr) return absl::InternalError("no memory for zlib's state");
  const size_t before = out->size();
  out->resize(before + deflateBound(z, message.size()));
  SetInput(*z, message);
  int result = Z_OK;
  while (result == Z_OK && before + z->total_out < out->size()) {
    SetRoom(*z, *out, before + z->total_out);
    result = deflate(z, Z_FINISH);
  }
  out->resize(before + z->total_out);
  return result == Z_STREAM_END ? absl::OkStatus() : Fault("zlib failed", *z);
}

absl::Status ZlibCompressor::Decompress(std::string_view compressed, size_t bytes_max, std::string* out) const {
  // Room made ahead, as a multiple of what has come, and then of what has been made.
  constexpr size_t kGuess = 4;
  constexpr size_t kLeast = 256;
  if (compressed.size() > std::numeric_limits<uInt>::max()) return absl::InternalError("more than 4 GiB");
  z_stream* const z = Inflating::OfThread(format_);
  if (z == nullptr) return absl::InternalError("no memory for zlib's state");
  const size_t most = std::min(bytes_max, out->max_size() - 1) + 1;
  SetInput(*z, compressed);
  size_t made = 0;
  for (size_t room = std::max(kLeast, kGuess * compressed.size());; room = 2 * made) {
    out->resize(std::min(room, most));
    SetRoom(*z, *out, made);
    const int result = inflate(z, Z_NO_FLUSH);
    made = z->total_out;
    if (result == Z_STREAM_END) break;
    if (result != Z_OK && result != Z_BUF_ERROR) {
      return result == Z_NEED_DICT ? absl::InternalError("it needs a dictionary") : Fault("corrupt data", *z);
    }
    if (z->avail_out != 0) return absl::InternalError("the data is cut off");
    if (made == most) return absl::OkStatus();  // more than the caller takes
  }
  out->resize(made);
  if (z->avail_in == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(z->avail_in, " bytes follow its end"));
}

}  // namespace

std::shared_ptr<const Compressor> GzipCompressor() { return std::make_shared<ZlibCompressor>(Format::kGzip); }
std::shared_ptr<const Compressor> DeflateCompressor() { return std::make_shared<ZlibCompressor>(Format::kZlib); }

}  // namespace weir
