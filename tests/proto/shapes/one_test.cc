#include <gtest/gtest.h>

#include "tests/proto/shapes/one.weir.pb.h"

TEST(Shapes, OneLibraryIsEnough) {
  shapes::one::ShapeService service;
  ASSERT_EQ(service.methods().size(), 1u);
  EXPECT_EQ(service.methods()[0].spec.path, "/shapes.one.Shape/Call");
}
