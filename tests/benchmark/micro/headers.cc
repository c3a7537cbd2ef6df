// Header blocks: storing, judging and understanding them, and the values that need a codec.
#include "weir/transport/h2/headers.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/wire/protocol.h"
#include "weir/rpc/wire/text_codec.h"
#include "weir/rpc/wire/timeout.h"
#include "weir/transport/h2/message_rules.h"

namespace bench {
namespace {

using weir::Metadata;
using weir::transport::HeaderList;
using weir::transport::HeaderView;
using weir::transport::MessageRules;
using weir::transport::MessageState;
using weir::transport::RequestReceived;

// `fields` fields of metadata behind what gRPC sends anyway.
RequestReceived Request(int64_t fields) {
  RequestReceived request;
  request.fields = {{":method", "POST"},
                    {":scheme", "http"},
                    {":path", "/bench.Echo/Unary"},
                    {":authority", "localhost:50051"},
                    {"te", "trailers"},
                    {"content-type", "application/grpc"},
                    {"grpc-timeout", "5S"},
                    {"user-agent", "grpc-c++-weir/0.1.0"}};
  for (int64_t i = 0; i < fields; ++i) request.fields.Add(absl::StrCat("x-field-", i), "the value of a field");
  return request;
}

void FillHeaderList(benchmark::State& state) {
  const RequestReceived request = Request(state.range(0));
  for (auto _ : state) {
    HeaderList list;
    for (const HeaderView field : request.fields) list.Add(field.name, field.value);
    benchmark::DoNotOptimize(list.size());
  }
}
BENCHMARK(FillHeaderList)->ArgName("metadata")->Arg(0)->Arg(20);

void JudgeRequest(benchmark::State& state) {
  const RequestReceived request = Request(state.range(0));
  for (auto _ : state) {
    MessageRules rules;
    MessageState message;
    rules.Begin(MessageRules::Block::kRequest);
    for (const HeaderView field : request.fields) rules.Field(field.name, field.value, true);
    if (!rules.End(false, false, &message)) {
      state.SkipWithError("expected a well-formed request");
      break;
    }
  }
}
BENCHMARK(JudgeRequest)->ArgName("metadata")->Arg(0)->Arg(20);

void DecodeRequest(benchmark::State& state) {
  const RequestReceived request = Request(state.range(0));
  for (auto _ : state) {
    const weir::wire::DecodedRequest decoded = weir::wire::Grpc().DecodeRequest(request);
    if (!decoded.status.ok() || decoded.timeout != absl::Seconds(5)) {
      state.SkipWithError("expected a request of gRPC");
      break;
    }
  }
}
BENCHMARK(DecodeRequest)->ArgName("metadata")->Arg(0)->Arg(20);

void DecodeMetadata(benchmark::State& state) {
  RequestReceived request = Request(state.range(0));
  request.fields.Add("x-trace-bin", weir::wire::Base64Encode(std::string(32, '\xab')));
  for (auto _ : state) {
    if (weir::wire::Grpc().DecodeMetadata(request.fields, 128).Get("x-trace-bin") != std::string(32, '\xab')) {
      state.SkipWithError("expected the bytes");
      break;
    }
  }
}
BENCHMARK(DecodeMetadata)->ArgName("metadata")->Arg(0)->Arg(20);

void EncodeRequest(benchmark::State& state) {
  Metadata metadata;
  for (int64_t i = 0; i < state.range(0); ++i) metadata.Add(absl::StrCat("x-field-", i), "the value of a field");
  const weir::wire::RequestHead head = {.scheme = "http",
                                        .path = "/bench.Echo/Unary",
                                        .authority = "localhost:50051",
                                        .user_agent = "grpc-c++-weir/0.1.0",
                                        .timeout = absl::Seconds(5),
                                        .metadata = &metadata};
  HeaderList block;
  for (auto _ : state) {
    block.Clear();
    weir::wire::Grpc().EncodeRequest(head, &block);
    benchmark::DoNotOptimize(block.size());
  }
}
BENCHMARK(EncodeRequest)->ArgName("metadata")->Arg(0)->Arg(20);

void EncodeTrailers(benchmark::State& state) {
  const absl::Status status = state.range(0) == 0 ? absl::OkStatus() : absl::NotFoundError("no such row: \"ä\"");
  HeaderList block;
  for (auto _ : state) {
    block.Clear();
    weir::wire::Grpc().EncodeTrailers(status, Metadata(), &block);
    benchmark::DoNotOptimize(block.size());
  }
}
BENCHMARK(EncodeTrailers)->ArgName("error")->Arg(0)->Arg(1);

void ParseTimeout(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(weir::wire::ParseTimeout("4990m"));
}
BENCHMARK(ParseTimeout);

void EncodeTimeout(benchmark::State& state) {
  absl::Duration timeout = absl::Seconds(5);
  for (auto _ : state) {
    timeout -= absl::Nanoseconds(1);
    benchmark::DoNotOptimize(weir::wire::EncodeTimeout(timeout));
  }
}
BENCHMARK(EncodeTimeout);

void EncodeBase64(benchmark::State& state) {
  const std::string bytes(state.range(0), '\xab');
  for (auto _ : state) benchmark::DoNotOptimize(weir::wire::Base64Encode(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(EncodeBase64)->ArgName("bytes")->Arg(16)->Arg(1024);

void DecodeBase64(benchmark::State& state) {
  const std::string text = weir::wire::Base64Encode(std::string(state.range(0), '\xab'));
  for (auto _ : state) {
    if (!weir::wire::Base64Decode(text)) {
      state.SkipWithError("expected base64");
      break;
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(DecodeBase64)->ArgName("bytes")->Arg(16)->Arg(1024);

}  // namespace
}  // namespace bench
