// H2Connection on the side of the server: requests and bodies that arrive, and answers that leave.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "weir/tests/benchmark/micro/repeated_batch.h"
#include "weir/transport/h2/connection.h"

namespace bench {
namespace {

using weir::transport::EndStream;
using weir::transport::H2BodyReceived;
using weir::transport::H2Connection;
using weir::transport::H2Event;
using weir::transport::H2Options;
using weir::transport::H2RequestReceived;
using weir::transport::HeaderList;
using weir::transport::OutputBuffer;
using weir::transport::Role;
using weir::transport::StreamId;

constexpr int kBatch = 100;
constexpr std::string_view kMessage("\0\0\0\0\x12\x0a\x10xxxxxxxxxxxxxxxx", 23);  // a bench.Payload in its envelope

H2Options Options(Role role) {
  H2Options options;
  options.role = role;
  options.connection_window_bytes = INT32_MAX;  // answers are not read by anybody
  return options;
}

std::string Pull(H2Connection& connection) {
  OutputBuffer out;
  connection.DataToSend(SIZE_MAX, &out);
  return out.Flatten();
}

// A server's connection, and that of a client which makes the requests for it.
struct Pair {
  Pair() {
    client.InitiateConnection();
    server.InitiateConnection();
    while (client.HasDataToSend() || server.HasDataToSend()) {
      std::vector<H2Event> events;
      server.ReceiveData(Pull(client), &events);
      client.ReceiveData(Pull(server), &events);
    }
  }
  H2Connection client{Options(Role::kClient)};
  H2Connection server{Options(Role::kServer)};
};

// Requests of 16 bytes with `fields` fields of metadata, for `paths` methods in turn.
std::string Requests(H2Connection& client, int64_t fields, int64_t paths) {
  for (int i = 0; i < kBatch; ++i) {
    HeaderList head = {{":method", "POST"},
                       {":scheme", "http"},
                       {":path", absl::StrCat("/bench.Echo/Unary", i % paths)},
                       {":authority", "localhost:50051"},
                       {"te", "trailers"},
                       {"content-type", "application/grpc"},
                       {"user-agent", "grpc-c++-weir/0.1.0"}};
    for (int64_t field = 0; field < fields; ++field) {
      head.Add(absl::StrCat("x-field-", field), "the value of a field");
    }
    client.SendData(*client.SendRequestHeaders(head, EndStream::kNo), kMessage, EndStream::kYes);
  }
  return Pull(client);
}

void Forget(H2Connection& connection, const std::vector<StreamId>& streams) {
  for (const StreamId id : streams) connection.RemoveStream(id);
  Pull(connection);
}

template <class Event>
int64_t Count(const std::vector<H2Event>& events) {
  return std::count_if(events.begin(), events.end(),
                       [](const H2Event& event) { return std::holds_alternative<Event>(event); });
}

// A batch of requests after the one with which the client has filled the compression table.
RepeatedBatch LaterRequests(Pair& pair, int64_t fields, int64_t paths) {
  const RepeatedBatch first(Requests(pair.client, fields, paths));
  std::vector<H2Event> events;
  pair.server.ReceiveData(first.bytes(), &events);
  Forget(pair.server, first.streams());
  return RepeatedBatch(Requests(pair.client, fields, paths));
}

void ReceiveRequests(benchmark::State& state) {
  Pair pair;
  RepeatedBatch batch = LaterRequests(pair, state.range(0), state.range(1));
  std::vector<H2Event> events;
  for (auto _ : state) {
    pair.server.ReceiveData(batch.bytes(), &events);
    state.PauseTiming();
    if (Count<H2RequestReceived>(events) != kBatch) {
      state.SkipWithError("expected one request for each stream");
      break;
    }
    events.clear();
    Forget(pair.server, batch.streams());
    batch.Advance();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(ReceiveRequests)->ArgNames({"metadata", "methods"})->Args({0, 1})->Args({0, 2})->Args({20, 1})->Args({20, 2});

// Sends a whole response and lets the stream go.
absl::Status Respond(H2Connection& connection, StreamId id) {
  static const HeaderList head = {{"content-type", "application/grpc"}};
  static const HeaderList trailers = {{"grpc-status", "0"}};
  absl::Status sent = connection.SendResponseHeaders(id, 200, head, EndStream::kNo);
  connection.SendData(id, kMessage, EndStream::kNo);
  sent.Update(connection.SendTrailers(id, trailers));
  connection.RemoveStream(id);
  return sent;
}

void SendResponses(benchmark::State& state) {
  Pair pair;
  RepeatedBatch batch = LaterRequests(pair, 0, 1);
  std::vector<H2Event> events;
  OutputBuffer out;
  absl::Status sent;
  for (auto _ : state) {
    state.PauseTiming();
    pair.server.ReceiveData(batch.bytes(), &events);
    events.clear();
    state.ResumeTiming();
    for (const StreamId id : batch.streams()) sent.Update(Respond(pair.server, id));
    pair.server.DataToSend(SIZE_MAX, &out);
    state.PauseTiming();
    if (!sent.ok() || out.size() < kBatch * kMessage.size()) {
      state.SkipWithError(absl::StrCat("expected responses to be sent: ", sent.ToString()).c_str());
      break;
    }
    out.Clear();
    batch.Advance();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(SendResponses);

// Frames of one stream whose bytes are taken at once. The window that they free is returned.
void ReceiveBody(benchmark::State& state) {
  const size_t size = state.range(0);
  const int64_t frames = std::min<int64_t>(kBatch, 128 * 1024 / size);
  Pair pair;
  const StreamId id = *pair.client.SendRequestHeaders(
      {{":method", "POST"}, {":scheme", "http"}, {":path", "/bench.Echo/ClientStream"}, {":authority", "localhost"}},
      EndStream::kNo);
  std::vector<H2Event> events;
  pair.server.ReceiveData(Pull(pair.client), &events);
  events.clear();

  std::string bytes;
  for (int64_t i = 0; i < frames; ++i) {
    const char header[9] = {0, static_cast<char>(size >> 8), static_cast<char>(size), 0, 0, 0, 0,
                            0, static_cast<char>(id)};
    bytes.append(header, sizeof header).append(size, 'x');
  }
  for (auto _ : state) {
    pair.server.ReceiveData(bytes, &events);
    size_t received = 0;
    for (const H2Event& event : events) {
      const auto* body = std::get_if<H2BodyReceived>(&event);
      if (body == nullptr) continue;
      received += body->body.data.size();
      pair.server.ConsumeData(id, body->body.flow_controlled_bytes);
    }
    if (received != frames * size) {
      state.SkipWithError("expected the body that was sent");
      break;
    }
    events.clear();
    Pull(pair.server);
  }
  state.SetItemsProcessed(state.iterations() * frames);
  state.SetBytesProcessed(state.iterations() * frames * static_cast<int64_t>(size));
}
BENCHMARK(ReceiveBody)->ArgName("bytes")->Arg(23)->Arg(1024)->Arg(16384);

}  // namespace
}  // namespace bench
