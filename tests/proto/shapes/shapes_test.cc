// Whatever way a .proto file comes to the rule, its header is included with the path that import statements use.
#include <gtest/gtest.h>

#include "elsewhere/tests/proto/shapes/prefixed.weir.pb.h"
#include "shapes/deep/stripped.weir.pb.h"
#include "tests/proto/shapes/generated.weir.pb.h"
#include "tests/proto/shapes/messages_only.pb.h"
#include "tests/proto/shapes/one.weir.pb.h"
#include "tests/proto/shapes/plain.weir.pb.h"
#include "tests/proto/shapes/plain_user.weir.pb.h"
#include "tests/proto/shapes/two.weir.pb.h"
#include "tests/proto/shapes/well_known.weir.pb.h"

namespace {

template <class Service>
std::string_view PathOfFirst() {
  return Service().methods().front().spec.path;
}

TEST(Shapes, ImportPathsAreIncludePaths) {
  EXPECT_EQ(PathOfFirst<shapes::stripped::ShapeService>(), "/shapes.stripped.Shape/Call");
  EXPECT_EQ(PathOfFirst<shapes::prefixed::ShapeService>(), "/shapes.prefixed.Shape/Call");
  EXPECT_EQ(PathOfFirst<shapes::generated::ShapeService>(), "/shapes.generated.Shape/Call");
}

TEST(Shapes, SeveralProtoLibrariesAreOneLibrary) {
  EXPECT_EQ(PathOfFirst<shapes::one::ShapeService>(), "/shapes.one.Shape/Call");
  EXPECT_EQ(PathOfFirst<shapes::two::ShapeService>(), "/shapes.two.Shape/Call");
}

TEST(Shapes, ProtoFilesMakeMessagesAndServices) {
  EXPECT_EQ(PathOfFirst<shapes::plain::ShapeService>(), "/shapes.plain.Shape/Call");
  EXPECT_EQ(PathOfFirst<shapes::plain_user::ShapeService>(), "/shapes.plain_user.Shape/Call");
  EXPECT_EQ(PathOfFirst<shapes::well_known::ShapeService>(), "/shapes.well_known.Shape/Call");
  EXPECT_EQ(shapes::messages_only::Request().ByteSizeLong(), 0u);
}

}  // namespace
