#include "weir/proto/plugin/comment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::plugin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Comment, KeepsLinesAndIndentation) {
  EXPECT_THAT(CommentLines(" One.\n\n   - two\n"), ElementsAre(" One.", "", "   - two"));
}

TEST(Comment, DropsEmptyLinesAtBothEnds) { EXPECT_THAT(CommentLines("\n \n one\n\n \n"), ElementsAre(" one")); }

TEST(Comment, OfNothingIsNothing) {
  EXPECT_THAT(CommentLines(""), IsEmpty());
  EXPECT_THAT(CommentLines(" \n\n"), IsEmpty());
}

TEST(Comment, NoLineEndsInABackslash) {
  EXPECT_THAT(CommentLines(" C:\\temp\\\n next"), ElementsAre(" C:\\temp\\ .", " next"));
  EXPECT_THAT(CommentLines(" spaces behind \\ \t \n next"), ElementsAre(" spaces behind \\ .", " next"));
  EXPECT_THAT(CommentLines("\\"), ElementsAre("\\ ."));
}

TEST(Comment, BackslashInsideStays) { EXPECT_THAT(CommentLines(" a \\ b"), ElementsAre(" a \\ b")); }

TEST(Comment, EveryLineEndOfAnyCompilerIsOne) {
  EXPECT_THAT(CommentLines("a\r\nb\rc\vd\fe\n"), ElementsAre("a", "b", "c", "d", "e"));
}

TEST(Comment, ControlCharactersBecomeSpaces) {
  EXPECT_THAT(CommentLines(std::string("a\tb\0c\x7f"
                                       "d",
                                       7)),
              ElementsAre("a b c d"));
}

TEST(Comment, LettersOfOtherAlphabetsStay) { EXPECT_THAT(CommentLines(" Grüße 你好"), ElementsAre(" Grüße 你好")); }

}  // namespace
}  // namespace weir::plugin
