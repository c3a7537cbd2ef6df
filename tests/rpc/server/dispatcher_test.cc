#include "weir/rpc/server/dispatcher.h"

#include "gtest/gtest.h"
#include "tests/benchmark/bench.weir.pb.h"

namespace weir {
namespace {

TEST(DispatcherTest, FindsEveryMethodByItsPathOctetByOctet) {
  bench::EchoService service;
  Dispatcher dispatcher;
  ASSERT_TRUE(dispatcher.Add(service).ok());
  for (const char* path :
       {"/bench.Echo/Unary", "/bench.Echo/ServerStream", "/bench.Echo/ClientStream", "/bench.Echo/BidiEcho"}) {
    const Dispatcher::Target target = dispatcher.Find(path);
    ASSERT_NE(target.method, nullptr) << path;
    EXPECT_EQ(target.service, &service);
    EXPECT_EQ(target.method->spec.path, path);
  }
  for (const char* path : {"", "/", "/bench.Echo", "/bench.Echo/", "/bench.Echo/unary", "/bench.Echo/Unary/",
                           "bench.Echo/Unary", "/bench.Echo/Unary "}) {
    EXPECT_EQ(dispatcher.Find(path).method, nullptr) << path;
  }
}

TEST(DispatcherTest, MethodServedTwiceIsNamed) {
  bench::EchoService first, second;
  Dispatcher dispatcher;
  ASSERT_TRUE(dispatcher.Add(first).ok());
  const absl::Status again = dispatcher.Add(second);
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(again.message().find("/bench.Echo/Unary"), absl::string_view::npos) << again;
  EXPECT_EQ(dispatcher.Find("/bench.Echo/Unary").service, &first);
}

}  // namespace
}  // namespace weir
