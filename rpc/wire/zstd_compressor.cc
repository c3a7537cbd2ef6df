#include "weir/rpc/wire/zstd_compressor.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

struct Free {
  void operator()(ZSTD_CCtx* state) const { ZSTD_freeCCtx(state); }
  void operator()(ZSTD_DCtx* state) const { ZSTD_freeDCtx(state); }
};

// States are large and may be used again: one of each for a thread.
ZSTD_CCtx* CompressingOfThread() {
  static thread_local const std::unique_ptr<ZSTD_CCtx, Free> state(ZSTD_createCCtx());
  return state.get();
}
ZSTD_DCtx* DecompressingOfThread() {
  static thread_local const std::unique_ptr<ZSTD_DCtx, Free> state(ZSTD_createDCtx());
  return state.get();
}

class Zstd final : public Compressor {
 public:
  explicit Zstd(int level) : level_(level) {}

  std::string_view name() const override { return "zstd"; }

  absl::Status Compress(std::string_view message, std::string* out) const override {
    ZSTD_CCtx* const state = CompressingOfThread();
    if (state == nullptr) return absl::InternalError("no memory for zstd's state");
    const size_t before = out->size();
    out->resize(before + ZSTD_compressBound(message.size()));
    const size_t made =
        ZSTD_compressCCtx(state, out->data() + before, out->size() - before, message.data(), message.size(), level_);
    if (ZSTD_isError(made)) return absl::InternalError(ZSTD_getErrorName(made));
    out->resize(before + made);
    return absl::OkStatus();
  }

  absl::Status Decompress(std::string_view compressed, size_t bytes_max, std::string* out) const override;

 private:
  const int level_;
};

absl::Status Fault(size_t error) {
  if (ZSTD_getErrorCode(error) == ZSTD_error_srcSize_wrong) return absl::InternalError("the data is cut off");
  return absl::InternalError(absl::StrCat("corrupt data: ", ZSTD_getErrorName(error)));
}

// In one go into room that grows, not as a stream: a stream allocates the window that the frame declares.
absl::Status Zstd::Decompress(std::string_view compressed, size_t bytes_max, std::string* out) const {
  constexpr size_t kGrowth = 4;  // each time it was too little, what has been made is made again
  constexpr size_t kLeast = 256;
  ZSTD_DCtx* const state = DecompressingOfThread();
  if (state == nullptr) return absl::InternalError("no memory for zstd's state");
  const size_t frame_bytes = ZSTD_findFrameCompressedSize(compressed.data(), compressed.size());
  if (ZSTD_isError(frame_bytes)) return Fault(frame_bytes);
  if (const size_t rest = compressed.size() - frame_bytes; rest != 0) {
    return absl::InternalError(absl::StrCat(rest, " bytes follow its end"));
  }
  const size_t most = std::min(bytes_max, std::numeric_limits<size_t>::max() - 1) + 1;
  for (size_t room = std::max(kLeast, kGrowth * frame_bytes);; room *= kGrowth) {
    out->resize(std::min(room, most));
    const size_t made = ZSTD_decompressDCtx(state, out->data(), out->size(), compressed.data(), frame_bytes);
    if (!ZSTD_isError(made)) {
      out->resize(made);
      return absl::OkStatus();
    }
    if (ZSTD_getErrorCode(made) != ZSTD_error_dstSize_tooSmall) return Fault(made);
    if (out->size() == most) return absl::OkStatus();  // more than the caller takes
  }
}

}  // namespace

std::shared_ptr<const Compressor> ZstdCompressor(int level) { return std::make_shared<Zstd>(level); }

}  // namespace weir
