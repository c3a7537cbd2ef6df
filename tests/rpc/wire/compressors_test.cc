#include "weir/rpc/wire/compressors.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "weir/rpc/wire/zstd_compressor.h"

namespace weir {
namespace {

using wire::Accepts;
using wire::OfRequest;
using wire::OfResponse;

class Rot13 final : public Compressor {
 public:
  explicit Rot13(std::string name) : name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  absl::Status Compress(std::string_view, std::string*) const override { return absl::OkStatus(); }
  absl::Status Decompress(std::string_view, size_t, std::string*) const override { return absl::OkStatus(); }

 private:
  const std::string name_;
};

TEST(CompressorsTest, GzipAndDeflateAreThereFromTheStart) {
  const Compressors compressors;
  EXPECT_EQ(compressors.accept_encoding(), "identity,gzip,deflate");
  EXPECT_EQ(compressors.Find("gzip")->name(), "gzip");
  EXPECT_EQ(compressors.Find("deflate")->name(), "deflate");
  EXPECT_EQ(compressors.Find("zstd"), nullptr);
  EXPECT_EQ(compressors.Find("GZIP"), nullptr);
  EXPECT_EQ(compressors.Find("identity"), nullptr);
}

TEST(CompressorsTest, OthersAreAddedInOrder) {
  Compressors compressors;
  compressors.Add(ZstdCompressor()).Add(std::make_shared<Rot13>("rot13"));
  EXPECT_EQ(compressors.accept_encoding(), "identity,gzip,deflate,zstd,rot13");
}

TEST(CompressorsTest, OneOfTheSameNameTakesThePlace) {
  Compressors compressors;
  const auto mine = std::make_shared<Rot13>("gzip");
  compressors.Add(mine);
  EXPECT_EQ(compressors.Find("gzip"), mine.get());
  EXPECT_EQ(compressors.accept_encoding(), "identity,gzip,deflate");
}

TEST(CompressorsTest, NoneIsIdentityOnly) {
  EXPECT_TRUE(Compressors::None().empty());
  EXPECT_EQ(Compressors::None().accept_encoding(), "identity");
}

TEST(AcceptsTest, ReadsALooselyWrittenList) {
  EXPECT_TRUE(Accepts("identity,deflate,gzip", "gzip"));
  EXPECT_TRUE(Accepts("identity, deflate ,\tgzip ", "deflate"));
  EXPECT_TRUE(Accepts("gzip", "gzip"));
  EXPECT_TRUE(Accepts(",,gzip,", "gzip"));
  EXPECT_FALSE(Accepts("", "gzip"));
  EXPECT_FALSE(Accepts("identity", "gzip"));
  EXPECT_FALSE(Accepts("x-gzip,gzipped", "gzip"));
}

TEST(AcceptsTest, IdentityIsAlwaysAccepted) {
  EXPECT_TRUE(Accepts("", "identity"));
  EXPECT_TRUE(Accepts("gzip", "identity"));
  EXPECT_TRUE(Accepts("gzip", ""));
}

TEST(EncodingTest, IdentityNeedsNoCompressor) {
  EXPECT_EQ(*OfRequest(Compressors(), "identity"), nullptr);
  EXPECT_EQ(*OfRequest(Compressors(), ""), nullptr);
  EXPECT_EQ(*OfResponse(nullptr, "identity"), nullptr);
}

TEST(EncodingTest, KnownOnesAreFound) {
  const Compressors compressors;
  EXPECT_EQ(*OfRequest(compressors, "gzip"), compressors.Find("gzip"));
  EXPECT_EQ(*OfResponse(&compressors, "deflate"), compressors.Find("deflate"));
}

TEST(EncodingTest, AnUnknownOneIsUnimplementedInARequestAndInternalInAResponse) {
  const Compressors compressors;
  EXPECT_EQ(OfRequest(compressors, "br").status(),
            absl::UnimplementedError("grpc-encoding: expected one of identity,gzip,deflate, got \"br\""));
  EXPECT_EQ(OfRequest(compressors, "Identity").status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(OfRequest(Compressors::None(), "gzip").status(),
            absl::UnimplementedError("grpc-encoding: expected one of identity, got \"gzip\""));
  EXPECT_EQ(OfResponse(&compressors, "br").status(),
            absl::InternalError("grpc-encoding of the response: expected one of identity,gzip,deflate, got \"br\""));
  EXPECT_EQ(OfResponse(nullptr, "gzip").status(),
            absl::InternalError("grpc-encoding of the response: expected one of identity, got \"gzip\""));
}

}  // namespace
}  // namespace weir
