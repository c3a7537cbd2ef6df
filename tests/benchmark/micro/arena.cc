// Messages of many parts on an arena, and without: parsed as a request, built and encoded as a reply.
#include "google/protobuf/arena.h"

#include <cstddef>
#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "google/protobuf/descriptor.pb.h"
#include "weir/rpc/server/call_arena.h"
#include "weir/rpc/server/recycled.h"
#include "weir/rpc/wire/message_codec.h"

namespace bench {
namespace {

using google::protobuf::Arena;
using google::protobuf::DescriptorProto;

// So many sub-messages, each with two strings of which one is too long for std::string to hold it in place.
void Fill(DescriptorProto& message, int64_t fields) {
  for (int64_t i = 0; i < fields; ++i) {
    auto& field = *message.add_field();
    field.set_name("field");
    field.set_json_name("a name that needs memory of its own");
    field.set_number(static_cast<int>(i));
  }
}

std::string Encoded(int64_t fields) {
  DescriptorProto message;
  Fill(message, fields);
  return message.SerializeAsString();
}

template <class Parse>
void Requests(benchmark::State& state, Parse parse) {
  const std::string bytes = Encoded(state.range(0));
  for (auto _ : state) {
    if (!parse(std::string_view(bytes))) {
      state.SkipWithError("expected a message");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations());
}

void RequestOnTheHeap(benchmark::State& state) {
  Requests(state, [](std::string_view bytes) {
    const auto request = std::make_unique<DescriptorProto>();
    return weir::wire::DecodeMessage(bytes, request.get()).ok();
  });
}
// What a server does without an arena.
void RequestRecycled(benchmark::State& state) {
  Requests(state, [](std::string_view bytes) {
    weir::internal::Recycled<DescriptorProto> request;
    return weir::wire::DecodeMessage(bytes, &request.Take(bytes.size())).ok();
  });
}
void RequestOnAnArena(benchmark::State& state) {
  Requests(state, [](std::string_view bytes) {
    const auto arena = std::make_unique<weir::internal::CallArena>();
    return weir::wire::DecodeMessage(bytes, Arena::CreateMessage<DescriptorProto>(&arena->arena())).ok();
  });
}
BENCHMARK(RequestOnTheHeap)->ArgName("parts")->Arg(0)->Arg(5)->Arg(100)->Arg(1000);
BENCHMARK(RequestRecycled)->ArgName("parts")->Arg(0)->Arg(5)->Arg(100)->Arg(1000);
BENCHMARK(RequestOnAnArena)->ArgName("parts")->Arg(0)->Arg(5)->Arg(100)->Arg(1000);

void ReplyOnTheHeap(benchmark::State& state) {
  for (auto _ : state) {
    DescriptorProto reply;
    Fill(reply, state.range(0));
    benchmark::DoNotOptimize(weir::wire::Outgoing(reply).Encode());
  }
  state.SetItemsProcessed(state.iterations());
}
void ReplyOnAnArena(benchmark::State& state) {
  for (auto _ : state) {
    const auto arena = std::make_unique<weir::internal::CallArena>();
    auto* const reply = Arena::CreateMessage<DescriptorProto>(&arena->arena());
    Fill(*reply, state.range(0));
    benchmark::DoNotOptimize(weir::wire::Outgoing(*reply).Encode());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ReplyOnTheHeap)->ArgName("parts")->Arg(0)->Arg(5)->Arg(100)->Arg(1000);
BENCHMARK(ReplyOnAnArena)->ArgName("parts")->Arg(0)->Arg(5)->Arg(100)->Arg(1000);

}  // namespace
}  // namespace bench
