#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <sstream>
#include <string>

#include "weir/tests/conformance/case.h"
#include "weir/tests/support/frame_script.h"
#include "weir/transport/h2/connection.h"

namespace weir::testing {
namespace {

using transport::EndStream;
using transport::ErrorCode;
using transport::H2Connection;
using transport::H2Options;
using transport::HeaderList;
using transport::Role;
using transport::StreamId;

constexpr char kPing[] = "PING 616c6976653f0000";  // "alive?"

// Windows small enough to be filled by a few frames, and three streams at once.
H2Options OptionsFor(Role role) {
  H2Options options = role == Role::kServer ? ServerOptions() : ClientOptions();
  options.max_concurrent_streams = 3;
  options.stream_window_bytes = 32768;
  options.connection_window_bytes = 65535;
  options.held_bytes_max = 0;
  return options;
}

bool Matches(std::string_view expected, std::string_view got) {
  if (!expected.ends_with("...")) return expected == got;
  return got.starts_with(expected.substr(0, expected.size() - 3));
}

class Play {
 public:
  Play(const ConformanceCase& played, Cuts cuts) : case_(played), cuts_(cuts), connection_(OptionsFor(played.role)) {}

  // What is wrong; empty: nothing.
  std::string Run() {
    Begin();
    for (size_t i = 0; i < case_.steps.size(); ++i) {
      const ConformanceCase::Step& step = case_.steps[i];
      if (step.kind == ConformanceCase::Step::Kind::kAction) {
        if (!Act(step.text)) return "no such action: " + step.text;
      } else {
        // Frames that follow each other come in one read.
        std::string bytes;
        while (i < case_.steps.size() && case_.steps[i].kind == ConformanceCase::Step::Kind::kPeer) {
          bytes += Frames(case_.steps[i++].text);
        }
        --i;
        connection_.Receive(bytes, &cuts_);
      }
      Collect();
    }
    failed_ = std::any_of(events_.begin(), events_.end(),
                          [](const std::string& event) { return event.starts_with("ConnectionError "); });
    std::string wrong;
    for (const std::string& expectation : case_.expectations) wrong += Check(expectation);
    if (wrong.empty()) wrong = CheckLife();
    if (!wrong.empty()) wrong += Told();
    return wrong;
  }

 private:
  void Begin() {
    H2Connection& connection = connection_.connection();
    connection.InitiateConnection();
    connection_.TakeWritten();
    if (!case_.handshake) return;
    Cuts whole = Cuts::Whole();
    connection_.Receive(
        Frames(case_.role == Role::kServer ? "PREFACE\nSETTINGS\nSETTINGS ACK" : "SETTINGS\nSETTINGS ACK"), &whole);
    if (case_.role == Role::kClient) {
      Open("GET", EndStream::kYes);   // stream 1
      Open("POST", EndStream::kNo);   // stream 3
      Open("HEAD", EndStream::kYes);  // stream 5
    }
    connection_.TakeWritten();
    connection_.TakeEvents();
  }

  void Open(const char* method, EndStream end) {
    (void)connection_.connection().SendRequestHeaders(
        {{":method", method}, {":scheme", "http"}, {":path", "/"}, {":authority", "x"}}, end);
  }

  bool Act(const std::string& text) {
    std::istringstream words(text);
    std::string verb;
    StreamId id = 0;
    words >> verb >> id;
    H2Connection& connection = connection_.connection();
    if (verb == "respond") {  // a whole response; the application is done with the stream
      (void)connection.SendResponseHeaders(id, 200, {}, EndStream::kYes);
      connection_.TakeWritten();
      connection.RemoveStream(id);
    } else if (verb == "head") {
      (void)connection.SendResponseHeaders(id, 200, {}, EndStream::kNo);
    } else if (verb == "reset") {
      connection.ResetStream(id, ErrorCode::kCancel);
      connection_.TakeWritten();
      connection.RemoveStream(id);
    } else if (verb == "data") {  // data <id> <octets>
      size_t octets = 0;
      words >> octets;
      connection.SendData(id, std::string(octets, 'x'), EndStream::kNo);
    } else if (verb == "drain") {
      connection.BeginDrain();
      connection.FinishDrain();
    } else if (verb == "ping") {
      connection.SendPing(1);
    } else {
      return false;
    }
    return true;
  }

  void Collect() {
    for (std::string& line : connection_.TakeEvents()) events_.push_back(std::move(line));
    for (std::string& line : connection_.TakeWritten()) written_.push_back(std::move(line));
    for (std::string& line : connection_.TakeEvents()) events_.push_back(std::move(line));
  }

  bool Wrote(std::string_view expected) const {
    return std::any_of(written_.begin(), written_.end(), [&](const auto& line) { return Matches(expected, line); });
  }
  bool Heard(std::string_view expected) const {
    return std::any_of(events_.begin(), events_.end(), [&](const auto& line) { return Matches(expected, line); });
  }

  std::string Check(const std::string& expectation) {
    std::istringstream words(expectation);
    std::string kind;
    words >> kind;
    std::string rest;
    std::getline(words >> std::ws, rest);
    const auto unless = [&](bool good) { return good ? std::string() : "  expected: " + expectation + "\n"; };
    if (kind == "connection") {
      expect_failure_ = true;
      const bool told = !events_.empty() && events_.back().starts_with("ConnectionError " + rest + " ");
      // "GOAWAY last=5 CODE ..." is the last word.
      const bool said = !written_.empty() && written_.back().starts_with("GOAWAY last=") &&
                        written_.back().find(" " + rest) == written_.back().find(' ', 12);
      return unless(told && said && connection_.connection().IsFinished());
    }
    if (kind == "refused") {
      expect_failure_ = true;
      const bool told = !events_.empty() && events_.back().starts_with("ConnectionError " + rest + " ");
      return unless(told && !Wrote("SETTINGS ...") && !Wrote("GOAWAY ...") && connection_.connection().IsFinished());
    }
    if (kind == "stream") {
      expect_resets_ = true;
      return unless(!failed_ && Wrote("RST_STREAM " + rest));
    }
    if (kind == "accepted") return unless(!failed_);
    if (kind == "event") return unless(Heard(rest));
    if (kind == "no-event") return unless(!Heard(rest + "..."));
    if (kind == "wrote") return unless(Wrote(rest));
    return "  no such expectation: " + expectation + "\n";
  }

  // A connection that has not failed goes on; one that has is silent.
  std::string CheckLife() {
    if (failed_ && !expect_failure_) return "  expected: the connection goes on\n";
    if (!expect_failure_ && !expect_resets_ && Wrote("RST_STREAM ...")) return "  expected: no stream is reset\n";
    written_.clear();
    const size_t heard = events_.size();
    connection_.Receive(Frames(kPing), &cuts_);
    Collect();
    if (failed_ && (!written_.empty() || events_.size() > heard)) return "  expected: nothing after the end\n";
    if (!failed_ && case_.handshake && !Wrote("PING ACK 616c6976653f0000")) {
      return "  expected: a PING is still answered\n";
    }
    return "";
  }

  std::string Told() const {
    std::string out = "  events:\n";
    for (const std::string& line : events_) out += "    " + line.substr(0, 200) + "\n";
    out += "  written:\n";
    for (const std::string& line : written_) out += "    " + line.substr(0, 200) + "\n";
    return out;
  }

  const ConformanceCase& case_;
  Cuts cuts_;
  ScriptedConnection connection_;
  std::vector<std::string> events_;
  std::vector<std::string> written_;
  bool failed_ = false;
  bool expect_failure_ = false;
  bool expect_resets_ = false;
};

}  // namespace

std::optional<std::string> PlayCase(const ConformanceCase& played) {
  for (const Cuts& cuts : Cuts::All()) {
    const std::string wrong = Play(played, cuts).Run();
    if (!wrong.empty()) return "input " + cuts.ToString() + ":\n" + wrong;
  }
  return std::nullopt;
}

}  // namespace weir::testing
