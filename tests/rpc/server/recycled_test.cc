// A request message may have been used before: nothing of that must be seen.
#include "weir/rpc/server/recycled.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace weir::internal {
namespace {

// Counts how many there are; remembers what was put into it, as a cleared message keeps its memory.
struct Message {
  Message() { ++living; }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { --living; }
  std::string text;
  static inline int living = 0;
};

constexpr bool kKeeps = transport::BlockPool::kEnabled;

void Use(size_t bytes) {
  Recycled<Message> message;
  message.Take(bytes).text = "used";
}

TEST(RecycledTest, ASmallMessageIsUsedAgainOnItsThread) {
  std::thread([] {
    Use(512);
    Recycled<Message> again;
    EXPECT_EQ(again.Take(1).text, kKeeps ? "used" : "");
  }).join();
}

TEST(RecycledTest, ALargeMessageIsFreed) {
  std::thread([] {
    Use(513);
    EXPECT_EQ(Message::living, 0);
  }).join();
}

TEST(RecycledTest, BeforeItIsAskedForThereIsNoMessage) {
  const Recycled<Message> waiting;
  EXPECT_EQ(Message::living, 0);
}

TEST(RecycledTest, MessagesInUseAtTheSameTimeAreDifferentOnes) {
  std::thread([] {
    Use(1);
    Recycled<Message> one;
    Recycled<Message> other;
    EXPECT_NE(&one.Take(1), &other.Take(1));
  }).join();
}

TEST(RecycledTest, AThreadKeepsAFewAndFreesThemWhenItExits) {
  std::thread([] {
    std::vector<std::unique_ptr<Recycled<Message>>> many;
    for (int i = 0; i < 100; ++i) {
      many.push_back(std::make_unique<Recycled<Message>>());
      many.back()->Take(1);
    }
    many.clear();
    EXPECT_EQ(Message::living, kKeeps ? static_cast<int>(Recycled<Message>::kKeptMax) : 0);
  }).join();
  EXPECT_EQ(Message::living, 0);
}

TEST(RecycledTest, AMessageMayEndOnAnotherThreadThanItBegan) {
  auto message = std::make_unique<Recycled<Message>>();
  message->Take(1);
  std::thread([moved = std::move(message)]() mutable { moved.reset(); }).join();
  EXPECT_EQ(Message::living, 0);
}

}  // namespace
}  // namespace weir::internal
