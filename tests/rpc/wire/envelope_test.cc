#include "weir/rpc/wire/envelope.h"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "weir/transport/memory/block_pool.h"
#include "weir/transport/memory/large_pool.h"

namespace weir::wire {
namespace {

constexpr size_t kLimit = 1000;

std::string Prefix(int flag, uint32_t length) {
  std::string prefix(kEnvelopeHeaderBytes, '\0');
  PutEnvelopeHeader(prefix.data(), false, length);
  prefix[0] = static_cast<char>(flag);
  return prefix;
}
std::string Framed(std::string_view payload, int flag = 0) {
  return Prefix(flag, static_cast<uint32_t>(payload.size())) + std::string(payload);
}

struct Result {
  std::vector<std::string> messages;  // "C:" before a compressed one
  absl::Status error;                 // of Next, or of AtEnd

  friend bool operator==(const Result&, const Result&) = default;
};

// Reads `pieces` to the end; takes at most `per_piece` messages of each while more are to come, as a slow application.
Result ReadAll(const std::vector<std::string>& pieces, size_t per_piece = SIZE_MAX, size_t limit = kLimit) {
  EnvelopeReader reader(limit);
  Result result;
  const auto take = [&](size_t max) {
    Envelope envelope;
    EnvelopeReader::Cut cut = EnvelopeReader::Cut::kMessage;
    for (size_t n = 0; n < max && (cut = reader.Next(&envelope)) == EnvelopeReader::Cut::kMessage; ++n) {
      result.messages.push_back((envelope.compressed ? "C:" : "") + envelope.payload.Flatten());
    }
    return cut;
  };
  for (const std::string& piece : pieces) {
    const std::string bytes = piece;  // gone after Keep
    reader.Feed(bytes);
    take(per_piece);
    reader.Keep();
  }
  take(SIZE_MAX);
  result.error = reader.AtEnd();
  return result;
}

TEST(EnvelopeTest, ThePrefixIsAFlagAndABigEndianLength) {
  std::string out(5, 'x');
  PutEnvelopeHeader(out.data(), true, 0x01020384);
  EXPECT_EQ(out, std::string("\x01\x01\x02\x03\x84", 5));
  PutEnvelopeHeader(out.data(), false, 0xffffffff);
  EXPECT_EQ(out, std::string("\0\xff\xff\xff\xff", 5));
}

TEST(EnvelopeReaderTest, AMessageInOnePieceIsNotCopied) {
  EnvelopeReader reader(kLimit);
  const std::string bytes = Framed("hello") + Framed("", 1);
  Envelope envelope;
  reader.Feed(bytes);
  ASSERT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kMessage);
  EXPECT_EQ(envelope.payload.Flatten(), "hello");
  EXPECT_EQ(envelope.payload.front().data(), bytes.data() + 5);
  EXPECT_FALSE(envelope.compressed);
  ASSERT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kMessage);
  EXPECT_EQ(envelope.payload.Flatten(), "");
  EXPECT_TRUE(envelope.compressed);
  EXPECT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kNeedMore);
  EXPECT_EQ(reader.buffered_bytes(), 0u);
  EXPECT_TRUE(reader.AtEnd().ok());
}

TEST(EnvelopeReaderTest, EverySplitGivesTheSameMessages) {
  const std::string bytes = Framed("") + Framed("a", 1) + Framed(std::string(23, 'b')) + Framed("") + Framed("the end");
  const Result whole = ReadAll({bytes});
  ASSERT_EQ(whole.messages, (std::vector<std::string>{"", "C:a", std::string(23, 'b'), "", "the end"}));
  ASSERT_TRUE(whole.error.ok());
  for (size_t i = 0; i <= bytes.size(); ++i) {
    for (size_t j = i; j <= bytes.size(); ++j) {
      const std::vector<std::string> pieces = {bytes.substr(0, i), bytes.substr(i, j - i), bytes.substr(j)};
      for (const size_t per_piece : {size_t{0}, size_t{1}, SIZE_MAX}) {
        ASSERT_EQ(ReadAll(pieces, per_piece), whole)
            << "cut at " << i << " and " << j << ", " << per_piece << " a piece";
      }
    }
  }
}

TEST(EnvelopeReaderTest, ByteByByteGivesTheSameMessages) {
  const std::string bytes = Framed("one") + Framed("") + Framed(std::string(300, 'x'), 1);
  std::vector<std::string> pieces;
  for (const char c : bytes) pieces.emplace_back(1, c);
  EXPECT_EQ(ReadAll(pieces), ReadAll({bytes}));
  EXPECT_EQ(ReadAll(pieces, 0), ReadAll({bytes}));
}

TEST(EnvelopeReaderTest, EveryEndInsideAMessageIsAnError) {
  const std::string bytes = Framed("first") + Framed("second");
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    if (cut == Framed("first").size()) continue;
    const Result result = ReadAll({bytes.substr(0, cut)});
    EXPECT_EQ(result.error.code(), absl::StatusCode::kInternal) << cut;
    EXPECT_EQ(ReadAll({bytes.substr(0, cut / 2), bytes.substr(cut / 2, cut - cut / 2)}), result) << cut;
  }
  EXPECT_EQ(ReadAll({bytes.substr(0, 3)}).error.message(), "stream ended inside a message prefix: 3 of 5 bytes");
  EXPECT_EQ(ReadAll({bytes.substr(0, 7)}).error.message(), "stream ended inside a message: 2 of 5 bytes");
}

TEST(EnvelopeReaderTest, TheLimitIsOnThePayload) {
  EXPECT_TRUE(ReadAll({Framed(std::string(kLimit - 1, 'x'))}).error.ok());
  EXPECT_TRUE(ReadAll({Framed(std::string(kLimit, 'x'))}).error.ok());
  const Result over = ReadAll({Framed(std::string(kLimit + 1, 'x'))});
  EXPECT_EQ(over.error,
            absl::ResourceExhaustedError(
                "message of 1001 bytes is over the limit of 1000 bytes (option max_receive_message_bytes)"));
  EXPECT_TRUE(over.messages.empty());
}

TEST(EnvelopeReaderTest, AMessageOverTheLimitIsRefusedFromItsPrefixAlone) {
  for (const uint32_t length : {uint32_t{kLimit + 1}, UINT32_MAX}) {
    for (size_t cut = 0; cut <= 5; ++cut) {
      const std::string prefix = Prefix(0, length);
      const Result result = ReadAll({Framed("before") + prefix.substr(0, cut), prefix.substr(cut)});
      EXPECT_EQ(result.error.code(), absl::StatusCode::kResourceExhausted) << length << " cut at " << cut;
      EXPECT_EQ(result.messages, std::vector<std::string>{"before"});
    }
  }
}

TEST(EnvelopeReaderTest, AnyOtherFlagIsAnError) {
  for (int flag = 2; flag < 256; ++flag) {
    const Result result = ReadAll({Framed("before") + Framed("x", flag)});
    EXPECT_EQ(result.error.code(), absl::StatusCode::kInternal) << flag;
    EXPECT_EQ(result.messages.size(), 1u);
  }
  EXPECT_EQ(ReadAll({Framed("x", 255)}).error.message(), "message prefix: expected compressed-flag 0 or 1, got 255");
}

TEST(EnvelopeReaderTest, AnErrorIsFinalAndKeepsNothing) {
  EnvelopeReader reader(kLimit);
  Envelope envelope;
  const std::string bytes = Prefix(7, 3) + "abc" + Framed("good");
  reader.Feed(bytes);
  EXPECT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kError);
  reader.Keep();
  EXPECT_EQ(reader.buffered_bytes(), 0u);
  reader.Feed(bytes);
  EXPECT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kError);
  reader.Keep();
  EXPECT_EQ(reader.buffered_bytes(), 0u);
  EXPECT_EQ(reader.AtEnd(), reader.error());
}

TEST(EnvelopeReaderTest, BufferedBytesCountWhatThePeerHasSent) {
  EnvelopeReader reader(kLimit);
  Envelope envelope;
  const std::string bytes = Framed("one") + Framed("two") + std::string(2, '\0');
  reader.Feed(bytes);
  EXPECT_EQ(reader.buffered_bytes(), bytes.size());
  reader.Keep();
  EXPECT_EQ(reader.buffered_bytes(), bytes.size());
  ASSERT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kMessage);
  EXPECT_EQ(reader.buffered_bytes(), bytes.size() - 8);
  ASSERT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kMessage);
  EXPECT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kNeedMore);
  EXPECT_EQ(reader.buffered_bytes(), 2u);
}

TEST(EnvelopeReaderTest, LargeMessagesComeOutWhole) {
  std::string payload(1 << 20, '\0');
  for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i * 31 >> 3);
  const std::string bytes = Framed(payload) + Framed("small") + Framed(payload);
  std::vector<std::string> pieces;
  for (size_t at = 0; at < bytes.size(); at += 16384) pieces.push_back(bytes.substr(at, 16384));
  const Result result = ReadAll(pieces, SIZE_MAX, payload.size());
  ASSERT_TRUE(result.error.ok());
  ASSERT_EQ(result.messages.size(), 3u);
  EXPECT_TRUE(result.messages[0] == payload && result.messages[1] == "small" && result.messages[2] == payload);
}

TEST(EnvelopeReaderTest, SeededCutsGiveTheSameMessages) {
  std::string bytes;
  for (const size_t size :
       {size_t{0}, size_t{3}, size_t{70'000}, size_t{16'384}, size_t{9}, size_t{300'000}, size_t{1}}) {
    std::string payload(size, '\0');
    for (size_t i = 0; i < size; ++i) payload[i] = static_cast<char>((i + size) * 31 >> 3);
    bytes += Framed(payload, size % 2);
  }
  const Result whole = ReadAll({bytes}, SIZE_MAX, 300'000);
  ASSERT_TRUE(whole.error.ok());
  ASSERT_EQ(whole.messages.size(), 7u);
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> pieces;
    for (size_t at = 0; at < bytes.size(); at += pieces.back().size()) {
      pieces.push_back(bytes.substr(at, 1 + random() % (seed % 3 == 0 ? 100 : 20'000)));
    }
    ASSERT_TRUE(ReadAll(pieces, seed % 4 == 3 ? SIZE_MAX : seed % 4, 300'000) == whole) << "seed " << seed;
  }
}

TEST(EnvelopeReaderTest, AMessageThatWasTakenIsNotHeld) {
  EnvelopeReader reader(1 << 20);
  Envelope envelope;
  const std::string bytes = Framed(std::string(100'000, 'x')) + Framed("next");
  for (size_t at = 0; at < bytes.size(); at += 1000) {
    reader.Feed(std::string_view(bytes).substr(at, 1000));
    reader.Keep();
  }
  ASSERT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kMessage);
  EXPECT_EQ(reader.buffered_bytes(), 9u);
  const size_t before = transport::LargePool::KeptBytes();
  reader.Keep();
  if (transport::BlockPool::kEnabled) {
    EXPECT_GT(transport::LargePool::KeptBytes(), before);
  }
  ASSERT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kMessage);
  EXPECT_EQ(envelope.payload.Flatten(), "next");
}

TEST(EnvelopeReaderTest, SitsInEveryStreamAndIsSmall) { EXPECT_LE(sizeof(EnvelopeReader), 80u); }

}  // namespace
}  // namespace weir::wire
