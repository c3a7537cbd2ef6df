// Messages in their envelopes: cut out of the bytes of a body, parsed, written.
#include "weir/rpc/wire/envelope.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "benchmark/benchmark.h"
#include "tests/benchmark/bench.pb.h"
#include "weir/rpc/wire/message_codec.h"

namespace bench {
namespace {

using weir::wire::Envelope;
using weir::wire::EnvelopeReader;

constexpr size_t kFrameBytes = 16384;
constexpr size_t kMessageBytesMax = 4 << 20;

std::string Message(size_t size) {
  Payload payload;
  payload.set_body(std::string(size, 'x'));
  return std::string(weir::wire::Outgoing(payload).Encode()->bytes);
}

// As many messages as one frame holds, or one message in as many frames as it takes.
void ReadEnvelopes(benchmark::State& state) {
  const std::string message = Message(state.range(0));
  const size_t messages = std::max<size_t>(1, kFrameBytes / message.size());
  std::string body;
  for (size_t i = 0; i < messages; ++i) body += message;

  EnvelopeReader reader(kMessageBytesMax);
  for (auto _ : state) {
    size_t cut = 0;
    for (size_t at = 0; at < body.size(); at += kFrameBytes) {
      reader.Feed(std::string_view(body).substr(at, kFrameBytes));
      Envelope envelope;
      while (reader.Next(&envelope) == EnvelopeReader::Cut::kMessage) {
        benchmark::DoNotOptimize(envelope.payload.front().data());
        ++cut;
      }
      reader.Keep();
    }
    if (cut != messages) {
      state.SkipWithError("expected all messages");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(messages));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}
BENCHMARK(ReadEnvelopes)->ArgName("bytes")->Arg(16)->Arg(1024)->Arg(65536)->Arg(1 << 20);

// From the frames of a body to the parsed message: what a large request costs above the transport.
void ReceiveMessage(benchmark::State& state) {
  const std::string body = Message(state.range(0));
  EnvelopeReader reader(kMessageBytesMax);
  for (auto _ : state) {
    Payload payload;
    for (size_t at = 0; at < body.size(); at += kFrameBytes) {
      reader.Feed(std::string_view(body).substr(at, kFrameBytes));
      Envelope envelope;
      if (reader.Next(&envelope) == EnvelopeReader::Cut::kMessage &&
          !weir::wire::DecodeMessage(envelope.payload, &payload).ok()) {
        break;
      }
      reader.Keep();
    }
    if (payload.body().size() != static_cast<size_t>(state.range(0))) {
      state.SkipWithError("expected the message");
      break;
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ReceiveMessage)->ArgName("bytes")->Arg(1024)->Arg(65536)->Arg(1 << 20)->Arg(4'000'000);

void EncodeMessage(benchmark::State& state) {
  Payload payload;
  payload.set_body(std::string(state.range(0), 'x'));
  for (auto _ : state) benchmark::DoNotOptimize(weir::wire::Outgoing(payload).Encode());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(EncodeMessage)->ArgName("bytes")->Arg(16)->Arg(1024)->Arg(65536)->Arg(1 << 20);

void DecodeMessage(benchmark::State& state) {
  const std::string message = Message(state.range(0));
  const std::string_view bytes = std::string_view(message).substr(weir::wire::kEnvelopeHeaderBytes);
  Payload payload;
  for (auto _ : state) {
    if (!weir::wire::DecodeMessage(bytes, &payload).ok()) {
      state.SkipWithError("expected a message");
      break;
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(DecodeMessage)->ArgName("bytes")->Arg(16)->Arg(1024)->Arg(65536)->Arg(1 << 20);

}  // namespace
}  // namespace bench
