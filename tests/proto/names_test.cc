#include "weir/proto/plugin/names.h"

#include <gtest/gtest.h>

namespace weir::plugin {
namespace {

TEST(Names, KeywordsAndCommonMacrosAreNotUsable) {
  for (const char* name : {"class", "operator", "and", "co_await", "requires", "char8_t", "NULL", "assert", "errno"}) {
    EXPECT_FALSE(IsUsableIdentifier(name)) << name;
  }
}

TEST(Names, WordsThatAreKeywordsOnlyInSomePlacesAreUsable) {
  for (const char* name : {"override", "final", "import", "module", "Class", "class_", "std", "weir", "main"}) {
    EXPECT_TRUE(IsUsableIdentifier(name)) << name;
  }
}

TEST(Names, NamespaceIsThePackage) {
  EXPECT_EQ(NamespaceOf(""), "");
  EXPECT_EQ(NamespaceOf("foo"), "foo");
  EXPECT_EQ(NamespaceOf("foo.bar.v1"), "foo::bar::v1");
}

TEST(Names, ConstantBeginsWithKAndACapital) {
  EXPECT_EQ(ConstantName("SayHello"), "kSayHello");
  EXPECT_EQ(ConstantName("sayHello"), "kSayHello");
  EXPECT_EQ(ConstantName("_x"), "k_x");
}

TEST(NameSet, GivesEachNameOnce) {
  NameSet names;
  EXPECT_TRUE(names.TryTake("a"));
  EXPECT_FALSE(names.TryTake("a"));
  EXPECT_EQ(names.Take("a"), "a_");
  EXPECT_EQ(names.Take("a"), "a__");
  EXPECT_EQ(names.Take("b"), "b");
}

TEST(NameSet, NeverGivesAReservedNameOrAKeyword) {
  NameSet names({"reserved"});
  EXPECT_FALSE(names.TryTake("reserved"));
  EXPECT_EQ(names.Take("reserved"), "reserved_");
  EXPECT_FALSE(names.TryTake("class"));
  EXPECT_EQ(names.Take("class"), "class_");
}

}  // namespace
}  // namespace weir::plugin
