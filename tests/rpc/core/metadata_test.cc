#include "weir/rpc/core/metadata.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace weir {
namespace {

TEST(MetadataTest, KeepsOrderAndDuplicates) {
  Metadata metadata({{"b", "1"}, {"a", "2"}});
  metadata.Add("b", "3");
  EXPECT_EQ(metadata.size(), 3u);
  EXPECT_EQ(metadata.Get("b"), "1");
  EXPECT_EQ(metadata.GetAll("b"), (std::vector<std::string_view>{"1", "3"}));
  EXPECT_EQ(metadata.begin()->first, "b");
  EXPECT_EQ(metadata.Get("c"), std::nullopt);
  EXPECT_TRUE(metadata.GetAll("c").empty());
}

TEST(MetadataTest, KeysBecomeLowerCase) {
  Metadata metadata;
  metadata.Add("X-Tenant", "Blue");
  EXPECT_EQ(metadata.Get("x-tenant"), "Blue");
}

TEST(MetadataTest, SetReplacesAllValuesAndRemoveTakesThemAway) {
  Metadata metadata({{"a", "1"}, {"b", "2"}, {"a", "3"}});
  metadata.Set("A", "4");
  EXPECT_EQ(metadata, (Metadata{{"b", "2"}, {"a", "4"}}));
  metadata.Set("c", "5");
  metadata.Remove("a");
  metadata.Remove("not there");
  EXPECT_EQ(metadata, (Metadata{{"b", "2"}, {"c", "5"}}));
}

TEST(MetadataTest, AcceptsWhatMayBeSent) {
  EXPECT_TRUE(Metadata().Check().ok());
  EXPECT_TRUE(Metadata({{"abc-09_.z", " ~"}, {"x-bin", std::string_view("\0\xff\n", 3)}, {"empty", ""}}).Check().ok());
  // A proxy passes on what it received.
  EXPECT_TRUE(Metadata({{"user-agent", "grpc-go/1.60"}}).Check().ok());
}

TEST(MetadataTest, RefusesWhatMayNotBeSentAndSaysWhy) {
  const struct {
    std::string_view key;
    std::string_view value;
    std::string_view text;
  } kCases[] = {
      {"", "v", "expected one or more of [0-9a-z_.-], got \"\""},
      {"two words", "v", "expected one or more of [0-9a-z_.-], got \"two words\""},
      {"caf\xc3\xa9", "v", "got \"caf\\xc3\\xa9\""},
      {":path", "v", "got \":path\""},
      {"grpc-status", "0", "metadata key \"grpc-status\": names that begin with \"grpc-\" belong to the protocol"},
      {"te", "trailers", "the name belongs to HTTP"},
      {"content-type", "x", "the name belongs to HTTP"},
      {"connection", "close", "the name belongs to HTTP"},
      {"host", "h", "the name belongs to HTTP"},
      {"k", "line\r\nbreak",
       "metadata value of \"k\": expected ASCII 0x20-0x7E, got \"line\\r\\nbreak\"; for other "
       "bytes use a key that ends in \"-bin\""},
      {"k", "\x7f", "expected ASCII 0x20-0x7E"},
      {"k", "\xc3\xa9", "expected ASCII 0x20-0x7E"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = Metadata({{"ok", "ok"}, {c.key, c.value}}).Check();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << c.key;
    EXPECT_NE(std::string(status.message()).find(c.text), std::string::npos) << status << "\nwanted: " << c.text;
  }
}

}  // namespace
}  // namespace weir
