// The client of the demonstration: calls the server of ../route_guide in every way, and says what happened.
//
// Exits with 0 only if every call ended as expected.
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "examples/route_guide/places.h"
#include "examples/route_guide/route_guide.weir.pb.h"
#include "examples/screen/screen.h"
#include "weir/rpc/client/channel.h"

namespace demo {
namespace {

using routeguide::At;
using routeguide::Feature;
using routeguide::Point;
using routeguide::RouteGuideClient;
using routeguide::RouteNote;
using routeguide::ToText;
using screen::Say;

class Demo {
 public:
  explicit Demo(weir::Channel& channel) : guide_(channel) {}

  // True if all went as expected.
  bool Run() {
    CallUnary();
    CallServerStreaming();
    CallClientStreaming();
    CallBidirectional();
    LetADeadlinePass();
    GetAnError();
    return as_expected_;
  }

 private:
  void Title(std::string_view what, std::string_view code) {
    Say("");
    Say(absl::StrCat(++steps_, ". ", std::string(what)));
    Say(absl::StrCat("   ", std::string(code)));
  }

  void Result(std::string_view text) { Say(absl::StrCat("   -> ", std::string(text))); }

  // The end of a call: its status, which should have this code.
  void End(const absl::Status& status, absl::StatusCode expected = absl::StatusCode::kOk) {
    Result(status.ToString());
    Expect(status.code() == expected, absl::StatusCodeToString(expected));
  }

  void Expect(bool holds, std::string_view what) {
    if (holds) return;
    as_expected_ = false;
    Say(absl::StrCat("   !! NOT AS EXPECTED: ", std::string(what)));
  }

  void CallUnary() {
    Title("Unary: one request, one reply; metadata travels with both",
          "guide.GetFeature(point, weir::CallOptions().Metadata(\"hiker\", \"Ann\"))");
    auto call = guide_.GetFeature(At(46.6702, 8.0229), weir::CallOptions().Metadata("hiker", "Ann"));
    const weir::Metadata initial = call.InitialMetadata().Wait();
    const absl::StatusOr<Feature> feature = call.Wait();
    if (!feature.ok()) return End(feature.status());
    Result(feature->name());
    Result(absl::StrCat("before the reply: greeting = ", std::string(initial.Get("greeting").value_or("(none)"))));
    Result(absl::StrCat("after it: places-known = ",
                        std::string(call.trailing_metadata().Get("places-known").value_or("(none)"))));
    Expect(feature->name() == "Bachalpsee", "Bachalpsee");
    Expect(initial.Get("greeting") == "Welcome, Ann", "Welcome, Ann");
    Expect(call.trailing_metadata().Get("places-known") == "8", "8 places");
  }

  void CallServerStreaming() {
    Title("Server streaming: one request, many replies", "while (auto feature = call.Read().Wait()) ...");
    routeguide::Rectangle area;
    *area.mutable_lo() = At(46.58, 7.90);
    *area.mutable_hi() = At(46.66, 8.00);
    auto call = guide_.ListFeatures(area);
    int features = 0;
    while (std::optional<Feature> feature = call.Read().Wait()) {
      ++features;
      Result(feature->name());
    }
    End(call.Finish().Wait());
    Expect(features == 3, "3 features");
  }

  void CallClientStreaming() {
    Title("Client streaming: many requests, one reply", "call.Write(point).Wait(); ... call.Finish().Wait()");
    auto call = guide_.RecordRoute();
    for (const Feature& place : routeguide::KnownPlaces().first(4)) call.Write(place.location()).Wait();
    const absl::StatusOr<routeguide::RouteSummary> summary = call.Finish().Wait();
    if (!summary.ok()) return End(summary.status());
    Result(absl::StrCat(summary->point_count(), " points, ", summary->distance(), " m"));
    Expect(summary->point_count() == 4, "4 points");
  }

  void CallBidirectional() {
    Title("Bidirectional streaming: both at the same time", "call.Write(note).Wait(); ... call.Read().Wait()");
    auto call = guide_.RouteChat();
    RouteNote note;
    *note.mutable_location() = At(46.6702, 8.0229);
    note.set_message("the water is cold");
    call.Write(note).Wait();
    note.set_message("went in all the same");
    call.Write(note).Wait();
    const std::optional<RouteNote> earlier = call.Read().Wait();
    Result(earlier.has_value() ? "the note before mine: " + earlier->message() : "(no note)");
    Expect(earlier.has_value() && earlier->message() == "the water is cold", "the first note");
    End(call.Finish().Wait());
  }

  void LetADeadlinePass() {
    Title("A deadline: nobody has been at this place, so no note will come",
          "guide.RouteChat(weir::CallOptions().Timeout(absl::Milliseconds(500)))");
    const absl::Time begin = absl::Now();
    auto call = guide_.RouteChat(weir::CallOptions().Timeout(absl::Milliseconds(500)));
    RouteNote note;
    *note.mutable_location() = At(46.5, 8.5);
    note.set_message("is there anybody?");
    call.Write(note).Wait();
    const std::optional<RouteNote> answer = call.Read().Wait();
    const absl::Status status = call.Finish().Wait();
    // Client and server watch the clock, each for itself. The client tells that it has gone, unless the server was
    // first.
    screen::WaitForFrame({"RST_STREAM 9", "grpc-status=4"});
    End(status, absl::StatusCode::kDeadlineExceeded);
    Expect(!answer.has_value(), "no note");
    Expect(absl::Now() - begin >= absl::Milliseconds(500), "to wait for the whole of the time");
  }

  void GetAnError() {
    Title("An error: the handler returns absl::InvalidArgumentError(...)", "guide.GetFeature(point_beyond_the_pole)");
    End(guide_.GetFeature(At(91, 0)).Wait().status(), absl::StatusCode::kInvalidArgument);
  }

  RouteGuideClient guide_;
  int steps_ = 0;
  bool as_expected_ = true;
};

}  // namespace
}  // namespace demo

int main(int argc, char** argv) {
  screen::Begin();
  if (argc != 2) {
    screen::Say("usage: client HOST:PORT");
    return 2;
  }
  screen::Say(
      "Lines with a > or < are HTTP/2 frames that the client sent or received: connection, frame, stream, contents.");
  weir::Channel channel(argv[1], weir::InsecureChannelCredentials());
  const bool as_expected = demo::Demo(channel).Run();
  screen::Say("");
  screen::Say(as_expected ? "All calls ended as expected." : "NOT all calls ended as expected: see above.");
  return as_expected ? 0 : 1;
}
