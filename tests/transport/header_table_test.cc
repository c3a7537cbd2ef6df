// SETTINGS_HEADER_TABLE_SIZE of a peer: what our header blocks look like when its decoder keeps a smaller table, a
// larger one, or changes its mind. The blocks are judged octet by octet and by decoders that know nothing of earlier
// ones.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/tests/support/frame_script.h"
#include "weir/transport/h2/connection.h"
#include "weir/transport/h2/frame_text.h"
#include "weir/transport/h2/output_buffer.h"

namespace weir::transport {
namespace {

using testing::Frames;

// "Dynamic Table Size Update" (RFC 7541 section 6.3) to 0 and to 4096, which is the largest table that we keep.
constexpr std::string_view kSizeZero = "\x20";
constexpr std::string_view kSizeFull = "\x3f\xe1\x1f";

class HeaderTableTest : public ::testing::Test {
 protected:
  HeaderTableTest() : connection_(testing::ServerOptions()) {
    connection_.InitiateConnection();
    Receive("PREFACE\nSETTINGS\nSETTINGS ACK");
    (void)Answer();
  }

  void Receive(const std::string& frames) { connection_.ReceiveData(Frames(frames), &events_); }

  // The whole HEADERS frame that answers a new request with the same two fields each time.
  std::string Answer() {
    const std::string id = std::to_string(next_id_);
    Receive("HEADERS " + id + " END_STREAM :method=GET :scheme=http :path=/ :authority=x");
    const HeaderList fields = {{"server", "weir"}, {"colour", "a value that is worth an entry of the table"}};
    EXPECT_TRUE(connection_.SendResponseHeaders(next_id_, 200, fields, EndStream::kYes).ok());
    connection_.RemoveStream(next_id_);
    next_id_ += 2;
    OutputBuffer out;
    connection_.DataToSend(SIZE_MAX, &out);
    const std::string bytes(out.Flatten());
    for (size_t at = 0; at + 9 <= bytes.size();) {
      const size_t length = static_cast<unsigned char>(bytes[at + 1]) << 8 | static_cast<unsigned char>(bytes[at + 2]);
      if (bytes[at + 3] == 1) return bytes.substr(at, 9 + length);
      at += 9 + length;
    }
    ADD_FAILURE() << "no HEADERS frame was written";
    return "";
  }

  static std::string_view Block(std::string_view frame) { return frame.substr(9); }

  // What a decoder makes of it whose table is empty.
  static std::string Afresh(std::string_view frame) {
    const std::vector<std::string> lines = DecodeFrameText(Role::kServer, frame);
    return lines.empty() ? "" : lines[0].substr(lines[0].find(':'));
  }

  static constexpr char kFields[] = ":status=200 server=weir colour=\"a value that is worth an entry of the table\"";

  H2Connection connection_;
  std::vector<H2Event> events_;
  StreamId next_id_ = 1;
};

TEST_F(HeaderTableTest, ATableOfZeroIsAnnouncedOnceAndNoLaterBlockNeedsAnEarlierOne) {
  EXPECT_NE(Afresh(Answer()), kFields) << "the second block refers to the first: there is a table";
  Receive("SETTINGS HEADER_TABLE_SIZE=0");
  const std::string first = Answer();
  EXPECT_TRUE(Block(first).starts_with(kSizeZero));
  EXPECT_EQ(Afresh(first), kFields);
  const std::string second = Answer();
  EXPECT_FALSE(Block(second).starts_with(kSizeZero));
  EXPECT_EQ(Afresh(second), kFields);
}

TEST_F(HeaderTableTest, AfterATableOfZeroTheFullOneBeginsEmpty) {
  Receive("SETTINGS HEADER_TABLE_SIZE=0");
  (void)Answer();
  Receive("SETTINGS HEADER_TABLE_SIZE=4096");
  const std::string first = Answer();
  EXPECT_TRUE(Block(first).starts_with(kSizeFull));
  EXPECT_EQ(Afresh(first), kFields);
  EXPECT_LT(Answer().size(), first.size()) << "the table is used again";
}

// "... the smallest maximum table size that occurs in that interval MUST be signaled ... The final maximum size is
// always signaled" (RFC 7541 section 4.2).
TEST_F(HeaderTableTest, OfSeveralChangesTheSmallestAndTheLastAreAnnounced) {
  Receive("SETTINGS HEADER_TABLE_SIZE=1\nSETTINGS HEADER_TABLE_SIZE=0\nSETTINGS HEADER_TABLE_SIZE=65536");
  const std::string first = Answer();
  EXPECT_TRUE(Block(first).starts_with(std::string(kSizeZero) + std::string(kSizeFull)));
  EXPECT_EQ(Afresh(first), kFields);
}

TEST_F(HeaderTableTest, ALargerTableThanOursIsNotUsed) {
  Receive("SETTINGS HEADER_TABLE_SIZE=65536");
  EXPECT_TRUE(Block(Answer()).starts_with(kSizeFull));
}

}  // namespace
}  // namespace weir::transport
