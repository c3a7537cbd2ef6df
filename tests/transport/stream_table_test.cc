// The table of streams finds what was added, and only that, however ids come and go.
#include "weir/transport/h2/stream_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <vector>

namespace weir::transport {
namespace {

TEST(StreamTableTest, FindsNothingWhereNothingWasAdded) {
  StreamTable table;
  EXPECT_EQ(table.Find(1), nullptr);
  table.Erase(table.Add(1));
  EXPECT_EQ(table.Find(1), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

TEST(StreamTableTest, FindsEveryStreamWhileOthersComeAndGo) {
  StreamTable table;
  std::map<StreamId, StreamState*> model;
  std::mt19937 random(1);
  StreamId next = 1;
  for (int step = 0; step < 50'000; ++step) {
    // Grows to hundreds of streams, then shrinks, again and again; a few streams live long.
    const bool grow = (step / 1000) % 2 == 0;
    if (model.empty() || random() % 10 < (grow ? 7u : 3u)) {
      StreamState* const added = table.Add(next);
      ASSERT_EQ(added->id, next);
      model[next] = added;
      next += 2 * static_cast<StreamId>(1 + random() % 3);
    } else {
      auto gone = model.lower_bound(static_cast<StreamId>(random() % static_cast<uint32_t>(next)));
      if (gone == model.end()) gone = model.begin();
      table.Erase(gone->second);
      ASSERT_EQ(table.Find(gone->first), nullptr);
      model.erase(gone);
    }
    ASSERT_EQ(table.size(), model.size());
    if (step % 100 == 0) {
      for (const auto& [id, stream] : model) ASSERT_EQ(table.Find(id), stream) << id;
    }
  }
}

TEST(StreamTableTest, SortedIdsAscend) {
  StreamTable table;
  for (StreamId id : {9, 1, 5, 1001, 3}) table.Add(id);
  EXPECT_EQ(table.SortedIds(), (std::vector<StreamId>{1, 3, 5, 9, 1001}));
  EXPECT_EQ(table.SortedIds(5), (std::vector<StreamId>{9, 1001}));
  EXPECT_EQ(table.SortedIds(1001), std::vector<StreamId>());
}

}  // namespace
}  // namespace weir::transport
