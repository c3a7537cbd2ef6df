#include <gtest/gtest.h>

#include "greeter.pb.h"

TEST(Consumer, MessagesOfItsOwnServiceCompile) {
  consumer::HelloRequest request;
  request.set_name("weir");
  EXPECT_EQ(request.name(), "weir");
}
