#include "weir/tests/support/frame_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace weir::testing {

using transport::FrameTextDecoder;
using transport::H2BodyReceived;
using transport::H2Connection;
using transport::H2Event;
using transport::H2Options;
using transport::OutputBuffer;
using transport::Role;
using transport::StreamId;

namespace {

constexpr uint64_t kSeeds[] = {1, 2, 3, 0x5eed};

bool Matches(const std::string& expected, const std::string& got) {
  if (!expected.ends_with("...")) return expected == got;
  return got.starts_with(std::string_view(expected).substr(0, expected.size() - 3));
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += "  " + line.substr(0, 300) + "\n";
  return out.empty() ? "  (nothing)\n" : out;
}

void Compare(const std::vector<std::string>& expected, const std::vector<std::string>& got) {
  const bool same = expected.size() == got.size() && std::equal(expected.begin(), expected.end(), got.begin(), Matches);
  EXPECT_TRUE(same) << "expected:\n" << Joined(expected) << "got:\n" << Joined(got);
}

}  // namespace

H2Options ServerOptions() { return {}; }

H2Options ClientOptions() {
  H2Options options;
  options.role = Role::kClient;
  return options;
}

std::string Frames(std::string_view script) {
  std::string bytes;
  const absl::Status status = transport::EncodeFrameText(script, &bytes);
  if (!status.ok()) {
    std::fprintf(stderr, "frame script: %s\n%s\n", status.ToString().c_str(), std::string(script).c_str());
    std::abort();
  }
  return bytes;
}

std::vector<std::string> EventLines(const std::vector<H2Event>& events) {
  std::vector<std::string> lines;
  std::string joined;
  for (size_t i = 0; i < events.size(); ++i) {
    const auto* body = std::get_if<H2BodyReceived>(&events[i]);
    if (body == nullptr) {
      lines.push_back(transport::ToString(events[i]));
      continue;
    }
    joined += body->body.data;
    const auto* next = i + 1 < events.size() ? std::get_if<H2BodyReceived>(&events[i + 1]) : nullptr;
    if (next != nullptr && next->stream_id == body->stream_id) continue;
    lines.push_back(transport::ToString(H2BodyReceived{body->stream_id, {joined, body->body.more, 0}}));
    joined.clear();
  }
  return lines;
}

std::vector<Cuts> Cuts::All() {
  std::vector<Cuts> all = {Whole(), EveryByte()};
  for (uint64_t seed : kSeeds) all.push_back(Seeded(seed));
  return all;
}

size_t Cuts::Next(size_t left) {
  switch (kind_) {
    case Kind::kWhole:
      return left;
    case Kind::kEveryByte:
      return std::min<size_t>(left, 1);
    case Kind::kSeeded:
      break;
  }
  // Any generator will do, as long as it is the same everywhere.
  state_ = state_ * 6364136223846793005u + 1442695040888963407u;
  const size_t longest = (state_ >> 60) < 8 ? 16 : 4096;
  return std::min<size_t>(left, 1 + (state_ >> 33) % longest);
}

std::string Cuts::ToString() const {
  switch (kind_) {
    case Kind::kWhole:
      return "whole";
    case Kind::kEveryByte:
      return "byte by byte";
    case Kind::kSeeded:
      break;
  }
  return "cut with seed " + std::to_string(seed_);
}

ScriptedConnection::ScriptedConnection(const H2Options& options) : connection_(options), written_(options.role) {}

void ScriptedConnection::Keep(std::vector<H2Event> events) {
  for (H2Event& event : events) {
    if (auto* error = std::get_if<transport::H2ConnectionError>(&event)) limit_ = error->limit;
    if (auto* body = std::get_if<H2BodyReceived>(&event)) {
      bodies_.push_back(std::make_unique<std::string>(body->body.data));
      body->body.data = *bodies_.back();
    }
    events_.push_back(std::move(event));
  }
}

void ScriptedConnection::Receive(std::string_view bytes, Cuts* cuts) {
  while (!bytes.empty()) {
    // A block of its own, so that a sanitizer sees whoever reads beyond it or keeps a view.
    const std::string read(bytes.substr(0, cuts->Next(bytes.size())));
    bytes.remove_prefix(read.size());
    std::vector<H2Event> events;
    connection_.ReceiveData(read, &events);
    Keep(std::move(events));
  }
}

std::vector<std::string> ScriptedConnection::TakeEvents() {
  const std::vector<std::string> lines = EventLines(events_);
  events_.clear();
  bodies_.clear();
  return lines;
}

std::vector<std::string> ScriptedConnection::TakeWritten() {
  OutputBuffer out;
  std::vector<H2Event> events;
  connection_.DataToSend(SIZE_MAX, &out, &events);
  Keep(std::move(events));
  std::vector<std::string> lines;
  written_.Feed(out.Flatten(), &lines);
  EXPECT_EQ(written_.pending_bytes(), 0u) << "half a frame was written";
  return lines;
}

FrameScript::FrameScript(H2Options options) : options_(options) {}

FrameScript::~FrameScript() { EXPECT_TRUE(ran_) << "the script ends without .Run()"; }

FrameScript& FrameScript::Add(std::string name, std::function<void(ScriptedConnection&, Cuts*)> run) {
  steps_.push_back({std::move(name), std::move(run)});
  return *this;
}

FrameScript& FrameScript::Handshake(std::string_view settings) {
  Do([](H2Connection& connection) { connection.InitiateConnection(); });
  std::string frames = options_.role == Role::kServer ? "PREFACE\n" : "";
  frames += "SETTINGS " + std::string(settings) + "\nSETTINGS ACK";
  return Add("written: preface", [](ScriptedConnection& c, Cuts*) { c.TakeWritten(); }).Peer(frames).Drop();
}

FrameScript& FrameScript::Peer(std::string_view frames) {
  return Add("peer: " + std::string(frames),
             [bytes = Frames(frames)](ScriptedConnection& c, Cuts* cuts) { c.Receive(bytes, cuts); });
}

FrameScript& FrameScript::Do(std::function<void(H2Connection&)> action) {
  return Add("do", [action = std::move(action)](ScriptedConnection& c, Cuts*) { action(c.connection()); });
}

FrameScript& FrameScript::ExpectEvents(Lines lines) {
  return Add("expect events",
             [lines = std::move(lines)](ScriptedConnection& c, Cuts*) { Compare(lines, c.TakeEvents()); });
}

FrameScript& FrameScript::ExpectWritten(Lines lines) {
  return Add("expect written",
             [lines = std::move(lines)](ScriptedConnection& c, Cuts*) { Compare(lines, c.TakeWritten()); });
}

FrameScript& FrameScript::Drop() {
  return Add("drop", [](ScriptedConnection& c, Cuts*) {
    c.TakeWritten();
    c.TakeEvents();
  });
}

FrameScript& FrameScript::ExpectStreams(size_t count) {
  return Add("expect streams",
             [count](ScriptedConnection& c, Cuts*) { EXPECT_EQ(c.connection().ActiveStreamCount(), count); });
}

FrameScript& FrameScript::ExpectWindow(StreamId stream_id, size_t bytes) {
  return Add("expect window", [stream_id, bytes](ScriptedConnection& c, Cuts*) {
    EXPECT_EQ(c.connection().LocalFlowControlWindow(stream_id), bytes);
  });
}

FrameScript& FrameScript::ExpectFinished(bool finished) {
  return Add("expect finished",
             [finished](ScriptedConnection& c, Cuts*) { EXPECT_EQ(c.connection().IsFinished(), finished); });
}

void FrameScript::Run() {
  ran_ = true;
  for (Cuts cuts : Cuts::All()) {
    ScriptedConnection connection(options_);
    for (size_t i = 0; i < steps_.size(); ++i) {
      SCOPED_TRACE("input " + cuts.ToString() + ", step " + std::to_string(i + 1) + ": " +
                   steps_[i].name.substr(0, 200));
      steps_[i].run(connection, &cuts);
      if (::testing::Test::HasFailure()) return;  // one report is enough
    }
  }
}

}  // namespace weir::testing
