// TestClient: the calls of TestService and Features as the cases make them, whatever library carries them.
//
// The cases are written once against this interface; each client under test (weir's, grpc++'s) adapts its own
// generated stubs to it. Everything blocks the calling thread. Nothing here knows weir or grpc++.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpc/testing/empty.pb.h"
#include "grpc/testing/messages.pb.h"
#include "tests/interop/cases/features.pb.h"
#include "tests/interop/cases/orca_load_report.pb.h"
#include "tests/interop/cases/orca_service.pb.h"

namespace weir::interop {

// Metadata in the order in which it travels; equal keys may repeat.
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct CallSetup {
  CallSetup() = default;
  static CallSetup Timeout(absl::Duration timeout) {
    CallSetup setup;
    setup.timeout = timeout;
    return setup;
  }
  static CallSetup Metadata(Pairs metadata) {
    CallSetup setup;
    setup.metadata = std::move(metadata);
    return setup;
  }

  static CallSetup Gzip() {
    CallSetup setup;
    setup.gzip = true;
    return setup;
  }

  absl::Duration timeout = absl::InfiniteDuration();
  Pairs metadata;
  bool gzip = false;  // messages of the call are compressed
};

// How a call ended, with what came before and with the status.
struct Ending {
  absl::Status status;
  Pairs initial;
  Pairs trailing;
};

template <class Reply>
struct Outcome : Ending {
  Reply reply;
  bool compressed = false;  // the reply came so
};

// A unary call on its way.
template <class Reply>
class PendingCall {
 public:
  virtual ~PendingCall() = default;
  virtual Outcome<Reply> Wait() = 0;
};

// Any streaming call. A client-streaming reply is the one message that Read gives after WritesDone.
template <class Request, class Reply>
class Stream {
 public:
  virtual ~Stream() = default;  // cancels a call that has not ended
  virtual bool Write(const Request& request) = 0;
  virtual bool WriteUncompressed(const Request& request) = 0;
  virtual void WritesDone() = 0;
  virtual std::optional<Reply> Read() = 0;
  virtual bool LastReadWasCompressed() = 0;
  virtual void Cancel() = 0;
  virtual Ending Finish() = 0;
};

using InputStream = Stream<grpc::testing::StreamingInputCallRequest, grpc::testing::StreamingInputCallResponse>;
using OutputStream = Stream<grpc::testing::StreamingOutputCallRequest, grpc::testing::StreamingOutputCallResponse>;
using HoldStream = Stream<Note, Note>;
using FloodStream = Stream<FloodRequest, Blob>;
using LoadStream = Stream<xds::service::orca::v3::OrcaLoadReportRequest, xds::data::orca::v3::OrcaLoadReport>;

// One client library on one channel.
class TestClient {
 public:
  virtual ~TestClient() = default;

  virtual Outcome<grpc::testing::Empty> EmptyCall(const CallSetup& setup) = 0;
  virtual std::unique_ptr<PendingCall<grpc::testing::SimpleResponse>> StartUnaryCall(
      const grpc::testing::SimpleRequest& request, const CallSetup& setup) = 0;
  virtual Outcome<grpc::testing::SimpleResponse> CacheableUnaryCall(const grpc::testing::SimpleRequest& request,
                                                                    const CallSetup& setup) = 0;
  virtual Outcome<grpc::testing::Empty> UnimplementedMethod() = 0;
  virtual Outcome<grpc::testing::Empty> UnimplementedService() = 0;
  virtual std::unique_ptr<InputStream> StreamingInputCall(const CallSetup& setup) = 0;
  virtual std::unique_ptr<OutputStream> StreamingOutputCall(const grpc::testing::StreamingOutputCallRequest& request,
                                                            const CallSetup& setup) = 0;
  virtual std::unique_ptr<OutputStream> FullDuplexCall(const CallSetup& setup) = 0;
  virtual std::unique_ptr<OutputStream> HalfDuplexCall(const CallSetup& setup) = 0;

  virtual std::unique_ptr<LoadStream> StreamCoreMetrics(const xds::service::orca::v3::OrcaLoadReportRequest& request,
                                                        const CallSetup& setup) = 0;

  virtual Outcome<InspectReply> Inspect(const InspectRequest& request, const CallSetup& setup) = 0;
  virtual std::unique_ptr<HoldStream> Hold(const CallSetup& setup) = 0;
  virtual std::unique_ptr<FloodStream> Flood(const FloodRequest& request, const CallSetup& setup) = 0;
  virtual Outcome<Observation> Observe(const ObserveRequest& request) = 0;
  virtual Outcome<DrainReply> Drain() = 0;

  Outcome<grpc::testing::SimpleResponse> UnaryCall(const grpc::testing::SimpleRequest& request,
                                                   const CallSetup& setup = CallSetup()) {
    return StartUnaryCall(request, setup)->Wait();
  }
};

// Makes a client with a channel of its own; `metadata` (--additional_metadata) goes with every call.
using TestClientFactory = std::function<std::unique_ptr<TestClient>()>;

}  // namespace weir::interop
