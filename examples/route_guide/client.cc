// Takes a tour: one call of each of the four kinds, all in coroutines.
//
//   bazel run //examples/route_guide:client -- localhost:50051
#include <iostream>
#include <optional>

#include "absl/time/time.h"
#include "examples/route_guide/places.h"
#include "examples/route_guide/route_guide.weir.pb.h"
#include "weir/rpc/client/channel.h"

namespace routeguide {
namespace {

// Five seconds are plenty for each of these calls. Without a deadline a call may wait for ever.
weir::CallOptions Patient() { return weir::CallOptions().Timeout(absl::Seconds(5)); }

// One request, one reply.
weir::Task<absl::Status> AskForOnePlace(RouteGuideClient& guide, Point point) {
  absl::StatusOr<Feature> feature = co_await guide.GetFeature(point, Patient());
  if (!feature.ok()) co_return feature.status();
  std::cout << "at " << ToText(point) << ": " << (feature->name().empty() ? "nothing known" : feature->name()) << "\n";
  co_return absl::OkStatus();
}

// One request, many replies.
weir::Task<absl::Status> ListAnArea(RouteGuideClient& guide) {
  Rectangle area;
  *area.mutable_lo() = At(46.58, 7.90);
  *area.mutable_hi() = At(46.66, 8.00);
  auto call = guide.ListFeatures(area, Patient());
  while (std::optional<Feature> feature = co_await call.Read()) {
    std::cout << "in the area: " << feature->name() << "\n";
  }
  co_return co_await call.Finish();
}

// Many requests, one reply.
weir::Task<absl::Status> WalkEverywhere(RouteGuideClient& guide) {
  auto call = guide.RecordRoute(Patient());
  for (const Feature& place : KnownPlaces()) {
    if (!co_await call.Write(place.location())) break;  // the call has ended: Finish says why
  }
  absl::StatusOr<RouteSummary> summary = co_await call.Finish();
  if (!summary.ok()) co_return summary.status();
  std::cout << "walked past " << summary->point_count() << " points, " << summary->feature_count()
            << " of them places, " << summary->distance() << " m\n";
  co_return absl::OkStatus();
}

// Many requests, many replies.
weir::Task<absl::Status> LeaveNotes(RouteGuideClient& guide) {
  auto call = guide.RouteChat(Patient());
  RouteNote note;
  *note.mutable_location() = At(46.6702, 8.0229);
  for (const char* message : {"the water is cold", "went in all the same", "never again"}) {
    note.set_message(message);
    if (!co_await call.Write(note)) break;
  }
  call.WritesDone();
  while (std::optional<RouteNote> other = co_await call.Read()) {
    std::cout << "a note of " << ToText(other->location()) << ": " << other->message() << "\n";
  }
  co_return co_await call.Finish();
}

weir::Task<absl::Status> TakeTheTour(RouteGuideClient& guide) {
  absl::Status status = co_await AskForOnePlace(guide, At(46.6702, 8.0229));
  if (status.ok()) status = co_await AskForOnePlace(guide, At(0, 0));
  if (status.ok()) status = co_await ListAnArea(guide);
  if (status.ok()) status = co_await WalkEverywhere(guide);
  if (status.ok()) status = co_await LeaveNotes(guide);
  co_return status;
}

}  // namespace
}  // namespace routeguide

int main(int argc, char** argv) {
  weir::Channel channel(argc > 1 ? argv[1] : "localhost:50051", weir::InsecureChannelCredentials());
  routeguide::RouteGuideClient guide(channel);
  const absl::Status status = routeguide::TakeTheTour(guide).Wait();
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
