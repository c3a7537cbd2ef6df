// FrameScript: a test as a script: what the peer sends, what the connection tells and writes, in frame text.
//
//   FrameScript script(ServerOptions());
//   script.Handshake()
//       .Peer("HEADERS 1 END_STREAM :method=GET :scheme=http :path=/")
//       .ExpectEvents({"Request 1 :method=GET :scheme=http :path=/ end"})
//       .Do([](transport::H2Connection& c) { c.ResetStream(1, transport::ErrorCode::kCancel); })
//       .ExpectWritten({"RST_STREAM 1 CANCEL"})
//       .ExpectStreams(1)
//       .Run();
//
// Run() plays the script from the start several times, each time on a new connection: with the peer's bytes whole, byte
// by byte, and cut at seeded places. The expectations are the same each time: neighbouring Body events of one stream
// are taken as one. An expected line that ends in "..." stands for every line that begins so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/transport/h2/connection.h"
#include "weir/transport/h2/frame_text.h"

namespace weir::testing {

// ---- helpers for any test that speaks frames -----------------------------------------------------------------------

transport::H2Options ServerOptions();
transport::H2Options ClientOptions();

// The bytes of a frame script; a mistake in it ends the test program with the place of the mistake.
std::string Frames(std::string_view script);

// Event lines, neighbouring bodies joined.
std::vector<std::string> EventLines(const std::vector<transport::H2Event>& events);

// How a run of bytes is cut into reads.
class Cuts {
 public:
  static Cuts Whole() { return Cuts(Kind::kWhole, 0); }
  static Cuts EveryByte() { return Cuts(Kind::kEveryByte, 0); }
  static Cuts Seeded(uint64_t seed) { return Cuts(Kind::kSeeded, seed); }
  // Whole, byte by byte, and a few seeds.
  static std::vector<Cuts> All();

  // Length of the next read when `left` bytes are left; at least 1 if any are.
  size_t Next(size_t left);
  std::string ToString() const;

 private:
  enum class Kind { kWhole, kEveryByte, kSeeded };
  Cuts(Kind kind, uint64_t seed) : kind_(kind), seed_(seed), state_(seed) {}
  Kind kind_;
  uint64_t seed_;
  uint64_t state_;
};

// A connection and what it has told and written so far; DataToSend is pulled only by TakeWritten.
class ScriptedConnection {
 public:
  explicit ScriptedConnection(const transport::H2Options& options);

  transport::H2Connection& connection() { return connection_; }
  void Receive(std::string_view bytes, Cuts* cuts);
  std::vector<std::string> TakeEvents();
  std::vector<std::string> TakeWritten();
  // Of the H2ConnectionError that was told; nullopt: none, or none because of a limit.
  std::optional<transport::H2Limit> limit() const { return limit_; }

 private:
  // Events whose bodies outlive the bytes they came in.
  void Keep(std::vector<transport::H2Event> events);

  transport::H2Connection connection_;
  transport::FrameTextDecoder written_;
  std::vector<transport::H2Event> events_;
  std::vector<std::unique_ptr<std::string>> bodies_;
  std::optional<transport::H2Limit> limit_;
};

// ---- the script ----------------------------------------------------------------------------------------------------

class FrameScript {
 public:
  using Lines = std::vector<std::string>;

  explicit FrameScript(transport::H2Options options);
  ~FrameScript();  // fails the test if the script was never run
  FrameScript(const FrameScript&) = delete;
  FrameScript& operator=(const FrameScript&) = delete;

  // InitiateConnection, the peer's preface with `settings` ("MAX_CONCURRENT_STREAMS=1 ..."), and both ACKs; the events
  // and frames of it are dropped.
  FrameScript& Handshake(std::string_view settings = "");

  FrameScript& Peer(std::string_view frames);
  FrameScript& Do(std::function<void(transport::H2Connection&)> action);
  FrameScript& ExpectEvents(Lines lines);
  FrameScript& ExpectWritten(Lines lines);
  // Forgets events and frames so far.
  FrameScript& Drop();
  FrameScript& ExpectStreams(size_t count);
  FrameScript& ExpectWindow(transport::StreamId stream_id, size_t bytes);
  FrameScript& ExpectFinished(bool finished);

  void Run();

 private:
  struct Step {
    std::string name;
    std::function<void(ScriptedConnection&, Cuts*)> run;
  };
  FrameScript& Add(std::string name, std::function<void(ScriptedConnection&, Cuts*)> run);

  const transport::H2Options options_;
  std::vector<Step> steps_;
  bool ran_ = false;
};

}  // namespace weir::testing
