// What people write with grpc++: the left side of PORTING.md, compiled so that it stays true. Nothing runs it.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_interceptor.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "examples/route_guide/route_guide.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace routeguide::with_grpcpp {

std::unique_ptr<RouteGuide::Stub> Connect(const std::string& target) {
  return RouteGuide::NewStub(grpc::CreateChannel(target, grpc::InsecureChannelCredentials()));
}

std::string NameOf(RouteGuide::Stub& stub, const Point& place) {
  grpc::ClientContext context;
  Feature feature;
  const grpc::Status status = stub.GetFeature(&context, place, &feature);
  return status.ok() ? feature.name() : status.error_message();
}

void NameLater(RouteGuide::Stub& stub, const Point& place, std::function<void(std::string)> done) {
  struct Call {
    grpc::ClientContext context;
    Point place;
    Feature feature;
  };
  auto call = std::make_shared<Call>();
  call->place = place;
  stub.async()->GetFeature(&call->context, &call->place, &call->feature, [call, done](grpc::Status status) {
    done(status.ok() ? call->feature.name() : status.error_message());
  });
}

std::vector<std::string> NamesOf(RouteGuide::Stub& stub, const std::vector<Point>& places) {
  struct Call {
    grpc::ClientContext context;
    Feature feature;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Feature>> reader;
  };
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<Call>> calls;
  for (const Point& place : places) {
    auto call = std::make_unique<Call>();
    call->reader = stub.AsyncGetFeature(&call->context, place, &queue);
    call->reader->Finish(&call->feature, &call->status, call.get());
    calls.push_back(std::move(call));
  }
  void* tag = nullptr;
  bool ok = false;
  for (size_t left = calls.size(); left > 0; --left) queue.Next(&tag, &ok);
  std::vector<std::string> names;
  for (const auto& call : calls) names.push_back(call->status.ok() ? call->feature.name() : "?");
  return names;
}

grpc::Status WithDeadline(RouteGuide::Stub& stub, const Point& place, Feature* feature) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  return stub.GetFeature(&context, place, feature);
}

std::string WithMetadata(RouteGuide::Stub& stub, const Point& place) {
  grpc::ClientContext context;
  context.AddMetadata("tenant", "blue");
  Feature feature;
  if (!stub.GetFeature(&context, place, &feature).ok()) return "";
  const auto& trailing = context.GetServerTrailingMetadata();
  const auto found = trailing.find("cost");
  return found == trailing.end() ? "" : std::string(found->second.data(), found->second.size());
}

std::vector<std::string> ReadStream(RouteGuide::Stub& stub, const Rectangle& area) {
  grpc::ClientContext context;
  const std::unique_ptr<grpc::ClientReader<Feature>> reader = stub.ListFeatures(&context, area);
  std::vector<std::string> names;
  Feature feature;
  while (reader->Read(&feature)) names.push_back(feature.name());
  if (!reader->Finish().ok()) names.push_back("and an error");
  return names;
}

int WriteStream(RouteGuide::Stub& stub, const std::vector<Point>& walk) {
  grpc::ClientContext context;
  RouteSummary summary;
  const std::unique_ptr<grpc::ClientWriter<Point>> writer = stub.RecordRoute(&context, &summary);
  for (const Point& place : walk) {
    if (!writer->Write(place)) break;
  }
  writer->WritesDone();
  return writer->Finish().ok() ? summary.point_count() : -1;
}

int Chat(RouteGuide::Stub& stub, const std::vector<RouteNote>& notes) {
  grpc::ClientContext context;
  const std::unique_ptr<grpc::ClientReaderWriter<RouteNote, RouteNote>> stream = stub.RouteChat(&context);
  for (const RouteNote& note : notes) stream->Write(note);
  stream->WritesDone();
  int answers = 0;
  RouteNote answer;
  while (stream->Read(&answer)) ++answers;
  return stream->Finish().ok() ? answers : -1;
}

std::string FirstOnly(RouteGuide::Stub& stub, const Rectangle& area) {
  grpc::ClientContext context;
  const auto reader = stub.ListFeatures(&context, area);
  Feature feature;
  if (!reader->Read(&feature)) return "";
  context.TryCancel();
  while (reader->Read(&feature)) {
  }
  reader->Finish();
  return feature.name();
}

std::string WhatIsWrong(const grpc::Status& status) {
  google::rpc::Status rich;
  google::rpc::BadRequest bad;
  if (!rich.ParseFromString(status.error_details())) return "";
  for (const auto& detail : rich.details()) {
    if (detail.UnpackTo(&bad)) return bad.field_violations(0).field();
  }
  return "";
}

std::shared_ptr<grpc::ChannelCredentials> OwnRoots(const std::string& roots_pem) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = roots_pem;
  return grpc::SslCredentials(options);
}

std::shared_ptr<grpc::ServerCredentials> OwnCertificate(const std::string& key_pem, const std::string& chain_pem) {
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({key_pem, chain_pem});
  return grpc::SslServerCredentials(options);
}

std::shared_ptr<grpc::Channel> WithOptions(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(16 * 1024 * 1024);
  arguments.SetUserAgentPrefix("hiker/2.0");
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "guide.example");
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 10'000);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

int WriteCompressed(RouteGuide::Stub& stub, const Point& secret, const std::vector<Point>& walk) {
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  RouteSummary summary;
  const auto writer = stub.RecordRoute(&context, &summary);
  writer->Write(secret, grpc::WriteOptions().set_no_compression());
  for (const Point& place : walk) writer->Write(place);
  writer->WritesDone();
  return writer->Finish().ok() ? summary.point_count() : -1;
}

void CallByName(grpc::GenericStub& stub, grpc::ClientContext* context, const std::string& path,
                const grpc::ByteBuffer* request, grpc::ByteBuffer* reply, std::function<void(grpc::Status)> done) {
  stub.UnaryCall(context, path, grpc::StubOptions(), request, reply, std::move(done));
}

class TokenAdder final : public grpc::experimental::Interceptor {
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->insert({"authorization", "Bearer secret"});
    }
    methods->Proceed();
  }
};

class TokenAdderFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
  grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
    return new TokenAdder;
  }
};

std::shared_ptr<grpc::Channel> WithInterceptor(const std::string& target) {
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> factories;
  factories.push_back(std::make_unique<TokenAdderFactory>());
  return grpc::experimental::CreateCustomChannelWithInterceptors(target, grpc::InsecureChannelCredentials(),
                                                                 grpc::ChannelArguments(), std::move(factories));
}

class Guide final : public RouteGuide::Service {
  grpc::Status GetFeature(grpc::ServerContext* context, const Point* place, Feature* feature) override {
    if (place->latitude() > 900000000) return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "latitude above 90");
    const auto tenant = context->client_metadata().find("tenant");
    if (tenant != context->client_metadata().end()) context->AddTrailingMetadata("cost", "1");
    feature->set_name("a place");
    return grpc::Status::OK;
  }

  grpc::Status ListFeatures(grpc::ServerContext* context, const Rectangle*,
                            grpc::ServerWriter<Feature>* writer) override {
    context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    Feature feature;
    for (int i = 0; i < 100 && !context->IsCancelled(); ++i) {
      feature.set_name("number " + std::to_string(i));
      if (!writer->Write(feature)) break;
    }
    return grpc::Status::OK;
  }

  grpc::Status RecordRoute(grpc::ServerContext*, grpc::ServerReader<Point>* reader, RouteSummary* summary) override {
    Point place;
    while (reader->Read(&place)) summary->set_point_count(summary->point_count() + 1);
    return grpc::Status::OK;
  }

  grpc::Status RouteChat(grpc::ServerContext*, grpc::ServerReaderWriter<RouteNote, RouteNote>* stream) override {
    RouteNote note;
    while (stream->Read(&note)) stream->Write(note);
    return grpc::Status::OK;
  }
};

grpc::Status AskBehind(RouteGuide::Stub& behind, const grpc::ServerContext& context, const Point& place,
                       Feature* feature) {
  const std::unique_ptr<grpc::ClientContext> nested = grpc::ClientContext::FromServerContext(context);
  return behind.GetFeature(nested.get(), place, feature);
}

void Serve(const std::string& address) {
  Guide guide;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&guide);
  builder.SetMaxReceiveMessageSize(16 * 1024 * 1024);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server != nullptr) server->Wait();  // until another thread calls Shutdown(deadline)
}

std::string CallInProcess() {
  Guide guide;
  grpc::ServerBuilder builder;
  builder.RegisterService(&guide);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = RouteGuide::NewStub(server->InProcessChannel(grpc::ChannelArguments()));
  const std::string name = NameOf(*stub, Point());
  server->Shutdown();
  return name;
}

}  // namespace routeguide::with_grpcpp
