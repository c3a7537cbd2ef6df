// Runs the snippets of PORTING.md against the server that stands there, too.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/examples/porting/weir.h"
#include "weir/rpc/core/cancel_scope.h"
#include "weir/testing/testing.h"

namespace routeguide::with_weir {
namespace {

using testing::Each;
using testing::SizeIs;
using weir::testing::IsOk;

class PortingTest : public testing::Test {
 protected:
  const std::unique_ptr<weir::Service> guide_ = NewGuide();
  weir::testing::TestServer server_{*guide_};
  RouteGuideClient client_{server_.channel()};
};

TEST_F(PortingTest, UnaryCallsAnswer) {
  EXPECT_EQ(NameOf(client_, Point()), "a place");
  EXPECT_EQ(NameLater(client_, Point()).Wait(), "a place");
  EXPECT_THAT(NamesOf(client_, std::vector<Point>(10)), testing::AllOf(SizeIs(10), Each("a place")));
  EXPECT_THAT(WithDeadline(client_, Point()), IsOk());
  EXPECT_EQ(WithMetadata(client_, Point()), "1");
  Point nowhere;
  nowhere.set_latitude(2'000'000'000);
  EXPECT_EQ(NameOf(client_, nowhere), "latitude above 90");
}

TEST_F(PortingTest, StreamsRunToTheirEnd) {
  EXPECT_THAT(ReadStream(client_, Rectangle()).Wait(), SizeIs(100));
  EXPECT_EQ(WriteStream(client_, std::vector<Point>(7)), 7);
  EXPECT_EQ(Chat(client_, std::vector<RouteNote>(3)), 3);
  EXPECT_EQ(FirstOnly(client_, Rectangle()), "number 0");
  EXPECT_EQ(WriteCompressed(client_, Point(), std::vector<Point>(4)), 5);
}

TEST_F(PortingTest, CallsAreInterceptedAndInherit) {
  EXPECT_EQ(WithInterceptor().interceptors.size(), 1u);
  const weir::CancelScope job;
  EXPECT_THAT(AskBehind(client_, job, Point()).Wait(), IsOk());
}

TEST_F(PortingTest, TheRestWorksToo) {
  weir::GenericClient generic(server_.channel());
  EXPECT_THAT(CallByName(generic, "/routeguide.RouteGuide/GetFeature", weir::Bytes()), IsOk());
  EXPECT_EQ(CallInProcess(), "a place");
  EXPECT_EQ(WhatIsWrong(absl::UnknownError("without details")), "");
  EXPECT_NE(OwnRoots("ca.pem").security(), nullptr);
  EXPECT_NE(OwnCertificate("server.key", "server.pem").security(), nullptr);
  EXPECT_EQ(WithOptions().authority, "guide.example");
}

}  // namespace
}  // namespace routeguide::with_weir
