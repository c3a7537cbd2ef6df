// The same with weir: the right side of PORTING.md. porting_test.cc runs it.
#include "weir/examples/porting/weir.h"

#include <optional>

#include "google/rpc/error_details.pb.h"
#include "weir/rpc/client/tls_credentials.h"
#include "weir/rpc/details/status_details.h"
#include "weir/rpc/in_process/in_process.h"
#include "weir/rpc/server/server.h"
#include "weir/rpc/server/tls_credentials.h"

namespace routeguide::with_weir {

struct Connection {
  explicit Connection(const std::string& target) : channel(target, weir::InsecureChannelCredentials()) {}
  weir::Channel channel;
  RouteGuideClient client{channel};
};

std::string NameOf(RouteGuideClient& client, const Point& place) {
  const absl::StatusOr<Feature> feature = client.GetFeature(place).Wait();
  return feature.ok() ? feature->name() : std::string(feature.status().message());
}

weir::Task<std::string> NameLater(RouteGuideClient& client, Point place) {
  const absl::StatusOr<Feature> feature = co_await client.GetFeature(place);
  co_return feature.ok() ? feature->name() : std::string(feature.status().message());
}

std::vector<std::string> NamesOf(RouteGuideClient& client, const std::vector<Point>& places) {
  std::vector<weir::UnaryCall<Feature>> calls;
  for (const Point& place : places) calls.push_back(client.GetFeature(place));
  std::vector<std::string> names;
  for (auto& call : calls) {
    const absl::StatusOr<Feature> feature = call.Wait();
    names.push_back(feature.ok() ? feature->name() : "?");
  }
  return names;
}

absl::StatusOr<Feature> WithDeadline(RouteGuideClient& client, const Point& place) {
  return client.GetFeature(place, weir::CallOptions().Timeout(absl::Milliseconds(500))).Wait();
}

std::string WithMetadata(RouteGuideClient& client, const Point& place) {
  auto call = client.GetFeature(place, weir::CallOptions().Metadata("tenant", "blue"));
  if (!call.Wait().ok()) return "";
  return std::string(call.trailing_metadata().Get("cost").value_or(""));
}

weir::Task<std::vector<std::string>> ReadStream(RouteGuideClient& client, Rectangle area) {
  auto call = client.ListFeatures(area);
  std::vector<std::string> names;
  while (std::optional<Feature> feature = co_await call.Read()) names.push_back(feature->name());
  const absl::Status status = co_await call.Finish();
  if (!status.ok()) names.push_back("and an error");
  co_return names;
}

int WriteStream(RouteGuideClient& client, const std::vector<Point>& walk) {
  auto call = client.RecordRoute();
  for (const Point& place : walk) {
    if (!call.Write(place).Wait()) break;
  }
  const absl::StatusOr<RouteSummary> summary = call.Finish().Wait();
  return summary.ok() ? summary->point_count() : -1;
}

int Chat(RouteGuideClient& client, const std::vector<RouteNote>& notes) {
  auto call = client.RouteChat();
  for (const RouteNote& note : notes) call.Write(note).Wait();
  call.WritesDone();
  int answers = 0;
  while (call.Read().Wait().has_value()) ++answers;
  return call.Finish().Wait().ok() ? answers : -1;
}

std::string FirstOnly(RouteGuideClient& client, const Rectangle& area) {
  auto call = client.ListFeatures(area);
  const std::optional<Feature> feature = call.Read().Wait();
  call.Cancel();  // not needed at the end of a scope: dropping a call cancels it
  return feature.has_value() ? feature->name() : "";
}

std::string WhatIsWrong(const absl::Status& status) {
  const auto bad = weir::GetDetail<google::rpc::BadRequest>(status);
  return bad.has_value() ? bad->field_violations(0).field() : "";
}

weir::ChannelCredentials OwnRoots(const std::string& roots_file) {
  weir::TlsChannelOptions options;
  options.roots = weir::TlsPem::File(roots_file);  // read again when it changes
  return weir::TlsChannelCredentials(options);
}

weir::ServerCredentials OwnCertificate(const std::string& key_file, const std::string& chain_file) {
  weir::TlsServerOptions options;
  options.key_pair = {weir::TlsPem::File(chain_file), weir::TlsPem::File(key_file)};
  return weir::TlsServerCredentials(options);
}

weir::ChannelOptions WithOptions() {
  weir::ChannelOptions options;  // for weir::Channel(target, credentials, options)
  options.max_receive_message_bytes = 16 * 1024 * 1024;
  options.user_agent_prefix = "hiker/2.0";
  options.authority = "guide.example";
  options.backoff_max = absl::Seconds(10);
  return options;
}

int WriteCompressed(RouteGuideClient& client, const Point& secret, const std::vector<Point>& walk) {
  auto call = client.RecordRoute(weir::CallOptions().Compression("gzip"));
  call.Write(secret, weir::WriteOptions().Uncompressed()).Wait();
  for (const Point& place : walk) call.Write(place).Wait();
  const absl::StatusOr<RouteSummary> summary = call.Finish().Wait();
  return summary.ok() ? summary->point_count() : -1;
}

absl::StatusOr<weir::Bytes> CallByName(weir::GenericClient& client, const std::string& path,
                                       const weir::Bytes& request) {
  return client.Unary(path, request).Wait();
}

class TokenAdder final : public weir::Interceptor {
  weir::Task<absl::Status> Intercept(const weir::MethodSpec&, weir::InterceptedCall& call,
                                     const weir::Next& next) override {
    call.request_metadata().Set("authorization", "Bearer secret");
    co_return co_await next(call);
  }
};

weir::ChannelOptions WithInterceptor() {
  weir::ChannelOptions options;  // and ServerOptions; for one call: CallOptions().Intercept(...)
  options.interceptors.push_back(std::make_shared<TokenAdder>());
  return options;
}

class Guide final : public RouteGuideService {
  weir::Task<absl::StatusOr<Feature>> GetFeature(weir::ServerContext& context, const Point& place) override {
    if (place.latitude() > 900000000) co_return absl::InvalidArgumentError("latitude above 90");
    if (context.metadata().Get("tenant").has_value()) context.AddTrailingMetadata("cost", "1");
    Feature feature;
    feature.set_name("a place");
    co_return feature;
  }

  weir::Task<absl::Status> ListFeatures(weir::ServerContext& context, const Rectangle&,
                                        weir::Writer<Feature>& writer) override {
    context.SetCompression("gzip");
    Feature feature;
    for (int i = 0; i < 100 && !context.IsCancelled(); ++i) {
      feature.set_name("number " + std::to_string(i));
      if (!co_await writer.Write(feature)) break;
    }
    co_return absl::OkStatus();
  }

  weir::Task<absl::StatusOr<RouteSummary>> RecordRoute(weir::ServerContext&, weir::Reader<Point>& reader) override {
    RouteSummary summary;
    while (std::optional<Point> place = co_await reader.Read()) summary.set_point_count(summary.point_count() + 1);
    co_return summary;
  }

  weir::Task<absl::Status> RouteChat(weir::ServerContext&, weir::Reader<RouteNote>& reader,
                                     weir::Writer<RouteNote>& writer) override {
    while (std::optional<RouteNote> note = co_await reader.Read()) co_await writer.Write(*note);
    co_return absl::OkStatus();
  }
};

weir::Task<absl::StatusOr<Feature>> AskBehind(RouteGuideClient& behind, const weir::ParentCall& context, Point place) {
  co_return co_await behind.GetFeature(place, weir::CallOptions().Parent(context));
}

absl::Status Serve(const std::string& address) {
  Guide guide;
  weir::ServerOptions options;
  options.max_receive_message_bytes = 16 * 1024 * 1024;
  weir::Server server(options);
  server.AddService(guide);
  const absl::Status listening = server.Listen(address, weir::InsecureServerCredentials());
  if (!listening.ok()) return listening;
  return server.RunUntilSignal();  // or Drain(grace) from a thread of yours
}

std::string CallInProcess() {
  Guide guide;
  weir::Server server;
  server.AddService(guide);
  weir::Channel channel(weir::InProcess(server));
  RouteGuideClient client(channel);
  return NameOf(client, Point());
}

std::unique_ptr<weir::Service> NewGuide() { return std::make_unique<Guide>(); }

}  // namespace routeguide::with_weir
