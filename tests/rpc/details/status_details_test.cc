// Typed details of a status: in their order, whatever their types, and nothing where nothing can be read.
#include "weir/rpc/details/status_details.h"

#include <string>

#include "google/protobuf/duration.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "weir/rpc/core/status.h"

namespace weir {
namespace {

using google::rpc::BadRequest;
using google::rpc::ErrorInfo;
using google::rpc::Help;

BadRequest BadField(const std::string& field) {
  BadRequest bad;
  bad.add_field_violations()->set_field(field);
  return bad;
}

ErrorInfo Reason(const std::string& reason) {
  ErrorInfo info;
  info.set_reason(reason);
  (*info.mutable_metadata())["zone"] = "eu";
  return info;
}

TEST(StatusDetailsTest, DetailThatWasAddedIsReadBack) {
  const absl::Status status = WithDetail(absl::InvalidArgumentError("incomplete"), BadField("street"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "incomplete");
  const std::optional<BadRequest> bad = GetDetail<BadRequest>(status);
  ASSERT_TRUE(bad.has_value());
  EXPECT_EQ(bad->field_violations(0).field(), "street");
  EXPECT_FALSE(GetDetail<Help>(status).has_value());
}

TEST(StatusDetailsTest, DetailsKeepTheirOrderAndATypeMayComeTwice) {
  absl::Status status = absl::InvalidArgumentError("");
  status = WithDetail(std::move(status), BadField("a"));
  status = WithDetail(std::move(status), Reason("WHY"));
  status = WithDetail(std::move(status), BadField("b"));
  const std::vector<BadRequest> bad = GetDetails<BadRequest>(status);
  ASSERT_EQ(bad.size(), 2u);
  EXPECT_EQ(bad[0].field_violations(0).field(), "a");
  EXPECT_EQ(bad[1].field_violations(0).field(), "b");
  const std::vector<google::protobuf::Any> all = AllDetails(status);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  EXPECT_EQ(GetDetail<ErrorInfo>(status)->metadata().at("zone"), "eu");
}

TEST(StatusDetailsTest, TypesNobodyKnowsAreKeptAsTheyCame) {
  google::rpc::Status sent;
  google::protobuf::Any* unknown = sent.add_details();
  unknown->set_type_url("type.googleapis.com/some.other.Thing");
  unknown->set_value("\x08\x01");
  absl::Status status = absl::AbortedError("");
  SetEncodedDetails(&status, sent.SerializeAsString());
  status = WithDetail(std::move(status), BadField("a"));
  const std::vector<google::protobuf::Any> all = AllDetails(status);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].type_url(), "type.googleapis.com/some.other.Thing");
  EXPECT_EQ(all[0].value(), "\x08\x01");
}

TEST(StatusDetailsTest, WhatIsEncodedRepeatsCodeAndText) {
  google::rpc::Status encoded;
  ASSERT_TRUE(encoded.ParseFromString(EncodedDetails(WithDetail(absl::NotFoundError("no such chat"), Reason("GONE")))));
  EXPECT_EQ(encoded.code(), 5);
  EXPECT_EQ(encoded.message(), "no such chat");
}

TEST(StatusDetailsTest, StatusCountsWhereItsDetailsSayOtherwise) {
  google::rpc::Status other;
  other.set_code(3);
  other.set_message("something else");
  other.add_details()->PackFrom(BadField("a"));
  absl::Status status = absl::NotFoundError("no such chat");
  SetEncodedDetails(&status, other.SerializeAsString());
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "no such chat");
  EXPECT_TRUE(GetDetail<BadRequest>(status).has_value());
}

TEST(StatusDetailsTest, BytesThatAreNoStatusAreNoDetails) {
  absl::Status status = absl::AbortedError("");
  SetEncodedDetails(&status, "\xff\xff\xff");
  EXPECT_TRUE(AllDetails(status).empty());
  EXPECT_EQ(AllDetails(WithDetail(status, BadField("a"))).size(), 1u);
}

TEST(StatusDetailsTest, DetailWhoseBytesAreBrokenIsLeftOutAlone) {
  google::rpc::Status sent;
  sent.add_details()->set_type_url("type.googleapis.com/google.rpc.BadRequest");
  sent.mutable_details(0)->set_value("\xff\xff");
  sent.add_details()->PackFrom(BadField("b"));
  absl::Status status = absl::AbortedError("");
  SetEncodedDetails(&status, sent.SerializeAsString());
  EXPECT_EQ(AllDetails(status).size(), 2u);
  ASSERT_EQ(GetDetails<BadRequest>(status).size(), 1u);
  EXPECT_EQ(GetDetail<BadRequest>(status)->field_violations(0).field(), "b");
}

TEST(StatusDetailsTest, OkHasNone) {
  EXPECT_EQ(WithDetail(absl::OkStatus(), BadField("a")), absl::OkStatus());
  EXPECT_TRUE(AllDetails(absl::OkStatus()).empty());
}

TEST(StatusDetailsTest, DetailsOutliveACopyThatSharesNothing) {
  const absl::Status status = WithDetail(absl::NotFoundError("x"), BadField("a"));
  EXPECT_EQ(Unshared(status), status);
  EXPECT_TRUE(GetDetail<BadRequest>(Unshared(status)).has_value());
}

}  // namespace
}  // namespace weir
