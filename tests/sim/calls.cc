#include "weir/tests/sim/calls.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "weir/rpc/core/operation.h"

namespace weir::testing {
namespace {

constexpr char kKey[] = "call";

// A handler is under way.
class Running {
 public:
  Running(Ledger& ledger, const ServerContext& context)
      : ledger_(ledger), record_(*ledger.Find(context.metadata().Get(kKey).value_or(""))), connection_(context.peer()) {
    ledger_.CountHandler(record_, connection_, +1);
  }
  ~Running() { ledger_.CountHandler(record_, connection_, -1); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  const CallRecord& record() const { return record_; }

  // The next request of this attempt.
  void See(std::string_view body) {
    ExpectMessage(record_, seen_, body);
    NoteSeen();
  }
  void See(const bench::StreamRequest& request) {
    if (request.count() != record_.messages) record_.broken = absl::StrCat("asked for ", request.count(), " messages");
    NoteSeen();
  }
  // The next reply of this attempt is about to be sent.
  void Send() { record_.replies_sent = std::max(record_.replies_sent, ++sent_); }

 private:
  void NoteSeen() { record_.requests_seen = std::max(record_.requests_seen, ++seen_); }

  Ledger& ledger_;
  CallRecord& record_;
  const std::string connection_;
  uint32_t seen_ = 0;
  uint32_t sent_ = 0;
};

// A caller that has something else to do.
class Pause final : public Operation {
 public:
  Pause(SimulatedLoop& loop, absl::Duration duration)
      : Operation(loop), loop_(loop), duration_(duration), timer_(loop, [this] { Complete(); }) {}
  void await_resume() const {}

 private:
  bool Begin() override {
    timer_.Set(loop_.Now() + absl::ToChronoNanoseconds(duration_));
    return false;
  }
  void Forget() override { timer_.Cancel(); }

  SimulatedLoop& loop_;
  const absl::Duration duration_;
  transport::Timer timer_;
};

// One call, while it is made.
class Caller {
 public:
  Caller(Simulation& simulation, SimulatedLoop& loop, Channel& channel, CallRecord& record)
      : simulation_(simulation), loop_(loop), client_(channel), record_(record) {
    record_.started = true;
    record_.started_at = simulation.Elapsed();
    started_ = loop.Now();
  }

  CallOptions Options() const {
    return CallOptions().Timeout(record_.timeout).Metadata(kKey, absl::StrCat(record_.id));
  }

  // `call` is being made from now on.
  template <class Call>
  void Begin(Call& call) {
    record_.cancel = [&call] { call.Cancel(); };
  }
  void End(absl::Status status) {
    record_.cancel = nullptr;
    ++record_.ends;
    record_.ended_at = simulation_.Elapsed();
    record_.disturbed = loop_.DisturbedSince(started_);
    simulation_.Log(absl::StrCat("call ", record_.id, " ends: ", status.ToString()));
    record_.status = std::move(status);
  }
  void Drop() {
    record_.dropped = true;
    End(absl::OkStatus());
  }

  static Task<void> Unary(Caller self) {
    const bench::Payload request = MessageOf(self.record_, 0);
    const CallOptions options = self.Options();
    auto call = self.client_.Unary(request, options);
    self.Begin(call);
    self.record_.requests_sent = 1;
    const absl::StatusOr<bench::Payload> reply = co_await call;
    if (reply.ok()) {
      ExpectMessage(self.record_, 0, reply->body());
      ++self.record_.replies;
    }
    self.End(reply.status());
  }

  static Task<void> ClientStream(Caller self) {
    const CallOptions options = self.Options();
    auto call = self.client_.ClientStream(options);
    self.Begin(call);
    for (uint32_t i = 0; i < self.record_.messages; ++i) {
      const bench::Payload message = MessageOf(self.record_, i);
      ++self.record_.requests_sent;
      if (!co_await call.Write(message)) break;
    }
    const absl::StatusOr<bench::Summary> summary = co_await call.Finish();
    if (summary.ok()) {
      EXPECT_EQ(summary->count(), self.record_.messages);
      ++self.record_.replies;
    }
    self.End(summary.status());
  }

  static Task<void> ServerStream(Caller self) {
    bench::StreamRequest request;
    request.set_count(self.record_.messages);
    const CallOptions options = self.Options();
    auto call = self.client_.ServerStream(request, options);
    self.Begin(call);
    self.record_.requests_sent = 1;
    while (std::optional<bench::Payload> message = co_await call.Read()) {
      ExpectMessage(self.record_, self.record_.replies++, message->body());
      if (self.record_.replies >= self.record_.read_until) co_return self.Drop();
      if (self.WantsPause()) co_await self.PauseReading();
    }
    absl::Status status = co_await call.Finish();
    self.End(std::move(status));
  }

  // Writes in pairs, so that both directions have more than one message under way.
  static Task<void> Bidi(Caller self) {
    const CallOptions options = self.Options();
    auto call = self.client_.BidiEcho(options);
    self.Begin(call);
    uint32_t written = 0;
    bool open = true;
    while (open) {
      for (int i = 0; i < 2 && open && written < self.record_.messages; ++i) {
        const bench::Payload message = MessageOf(self.record_, written++);
        self.record_.requests_sent = written;
        open = co_await call.Write(message);
      }
      if (written == self.record_.messages) call.WritesDone();
      std::optional<bench::Payload> message = co_await call.Read();
      open = message.has_value();
      if (!open) break;
      ExpectMessage(self.record_, self.record_.replies++, message->body());
      if (self.record_.replies >= self.record_.read_until) co_return self.Drop();
      if (self.WantsPause()) co_await self.PauseReading();
    }
    absl::Status status = co_await call.Finish();
    self.End(std::move(status));
  }

  // Few pauses: they are longer than deadlines, which a caller does not see meanwhile.
  bool WantsPause() const {
    constexpr uint32_t kPausesMax = 3;
    return record_.reader_pauses > absl::ZeroDuration() && record_.replies <= kPausesMax;
  }
  Task<void> PauseReading() {
    record_.pausing = true;
    Pause pause(loop_, record_.reader_pauses);
    co_await pause;
    record_.pausing = false;
    record_.paused_until = simulation_.Elapsed();
  }

 private:
  Simulation& simulation_;
  SimulatedLoop& loop_;
  bench::EchoClient client_;
  CallRecord& record_;
  transport::MonotonicTime started_;
};

}  // namespace

Task<absl::StatusOr<bench::Payload>> LedgerService::Unary(ServerContext& context, const bench::Payload& request) {
  Running running(ledger_, context);
  running.See(request.body());
  if (running.record().handler_sleeps > absl::ZeroDuration()) co_await context.Sleep(running.record().handler_sleeps);
  running.Send();
  co_return request;
}

Task<absl::Status> LedgerService::ServerStream(ServerContext& context, const bench::StreamRequest& request,
                                               Writer<bench::Payload>& writer) {
  Running running(ledger_, context);
  running.See(request);
  if (running.record().handler_sleeps > absl::ZeroDuration()) co_await context.Sleep(running.record().handler_sleeps);
  for (uint32_t i = 0; i < request.count(); ++i) {
    const bench::Payload message = MessageOf(running.record(), i);
    running.Send();
    if (!co_await writer.Write(message)) break;
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<bench::Summary>> LedgerService::ClientStream(ServerContext& context,
                                                                 Reader<bench::Payload>& reader) {
  Running running(ledger_, context);
  if (running.record().handler_sleeps > absl::ZeroDuration()) co_await context.Sleep(running.record().handler_sleeps);
  bench::Summary summary;
  while (std::optional<bench::Payload> message = co_await reader.Read()) {
    running.See(message->body());
    summary.set_count(summary.count() + 1);
  }
  running.Send();
  co_return summary;
}

Task<absl::Status> LedgerService::BidiEcho(ServerContext& context, Reader<bench::Payload>& reader,
                                           Writer<bench::Payload>& writer) {
  Running running(ledger_, context);
  if (running.record().handler_sleeps > absl::ZeroDuration()) co_await context.Sleep(running.record().handler_sleeps);
  while (std::optional<bench::Payload> message = co_await reader.Read()) {
    running.See(message->body());
    running.Send();
    if (!co_await writer.Write(*message)) break;
  }
  co_return absl::OkStatus();
}

Task<void> MakeCall(Simulation& simulation, SimulatedLoop& loop, Channel& channel, CallRecord& record) {
  Caller caller(simulation, loop, channel, record);
  switch (record.kind) {
    case CallKind::kUnary:
      return Caller::Unary(std::move(caller));
    case CallKind::kClientStream:
      return Caller::ClientStream(std::move(caller));
    case CallKind::kServerStream:
      return Caller::ServerStream(std::move(caller));
    case CallKind::kBidi:
      break;
  }
  return Caller::Bidi(std::move(caller));
}

void HoldAlways(Simulation& simulation, const SimulatedLoop& loop, const Ledger& ledger) {
  const auto is_disturbed = [&simulation, &loop](const CallRecord& record) {
    return loop.DisturbedSince(loop.Now() - absl::ToChronoNanoseconds(simulation.Elapsed() - record.started_at));
  };
  simulation.HoldAlways([&simulation, &ledger, is_disturbed] {
    return ledger.WhatIsBroken(simulation.Elapsed(), simulation.occurred(Fault::Kind::kStreamReset), is_disturbed);
  });
}

void StartCall(Simulation& simulation, SimulatedLoop& loop, Channel& channel, CallRecord& record) {
  channel.Run(MakeCall(simulation, loop, channel, record));
}

}  // namespace weir::testing
