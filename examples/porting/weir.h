// The snippets of PORTING.md, for their test. See weir.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "examples/route_guide/route_guide.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/generic_client.h"
#include "weir/rpc/server/credentials.h"
#include "weir/rpc/server/service.h"

namespace routeguide::with_weir {

std::string NameOf(RouteGuideClient& client, const Point& place);
weir::Task<std::string> NameLater(RouteGuideClient& client, Point place);
std::vector<std::string> NamesOf(RouteGuideClient& client, const std::vector<Point>& places);
absl::StatusOr<Feature> WithDeadline(RouteGuideClient& client, const Point& place);
std::string WithMetadata(RouteGuideClient& client, const Point& place);
weir::Task<std::vector<std::string>> ReadStream(RouteGuideClient& client, Rectangle area);
int WriteStream(RouteGuideClient& client, const std::vector<Point>& walk);
int Chat(RouteGuideClient& client, const std::vector<RouteNote>& notes);
std::string FirstOnly(RouteGuideClient& client, const Rectangle& area);
std::string WhatIsWrong(const absl::Status& status);
weir::ChannelCredentials OwnRoots(const std::string& roots_file);
weir::ServerCredentials OwnCertificate(const std::string& key_file, const std::string& chain_file);
weir::ChannelOptions WithOptions();
int WriteCompressed(RouteGuideClient& client, const Point& secret, const std::vector<Point>& walk);
absl::StatusOr<weir::Bytes> CallByName(weir::GenericClient& client, const std::string& path,
                                       const weir::Bytes& request);
weir::ChannelOptions WithInterceptor();
weir::Task<absl::StatusOr<Feature>> AskBehind(RouteGuideClient& behind, const weir::ParentCall& context, Point place);
absl::Status Serve(const std::string& address);
std::string CallInProcess();
std::unique_ptr<weir::Service> NewGuide();

}  // namespace routeguide::with_weir
