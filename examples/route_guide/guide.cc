#include "examples/route_guide/guide.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "examples/route_guide/places.h"

namespace routeguide {
namespace {

// Our clients are anybody's programs: what they send is checked, and the error says what was expected.
absl::Status CheckPoint(const Point& point) {
  constexpr int32_t kLatitudeMax = 900'000'000;
  constexpr int32_t kLongitudeMax = 1'800'000'000;
  if (point.latitude() < -kLatitudeMax || point.latitude() > kLatitudeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("latitude: expected -90 to 90 degrees, got ", point.latitude() / 1e7));
  }
  if (point.longitude() < -kLongitudeMax || point.longitude() > kLongitudeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("longitude: expected -180 to 180 degrees, got ", point.longitude() / 1e7));
  }
  return absl::OkStatus();
}

const Feature* FindPlace(const Point& point) {
  for (const Feature& place : KnownPlaces()) {
    if (SamePlace(place.location(), point)) return &place;
  }
  return nullptr;
}

}  // namespace

// One request, one reply. Metadata travels before and after the messages.
weir::Task<absl::StatusOr<Feature>> Guide::GetFeature(weir::ServerContext& context, const Point& request) {
  if (absl::Status checked = CheckPoint(request); !checked.ok()) co_return checked;
  if (const auto hiker = context.metadata().Get("hiker")) {
    context.AddInitialMetadata("greeting", "Welcome, " + std::string(*hiker));
  }
  context.AddTrailingMetadata("places-known", absl::StrCat(KnownPlaces().size()));
  if (const Feature* place = FindPlace(request)) co_return *place;
  Feature unknown;
  *unknown.mutable_location() = request;
  co_return unknown;
}

// One request, many replies. Write waits while the client does not read: back-pressure needs no code.
weir::Task<absl::Status> Guide::ListFeatures(weir::ServerContext&, const Rectangle& request,
                                             weir::Writer<Feature>& writer) {
  for (const Feature& place : KnownPlaces()) {
    if (!Contains(request, place.location())) continue;
    if (!co_await writer.Write(place)) break;  // the client is gone
  }
  co_return absl::OkStatus();
}

// Many requests, one reply, when the client has said that there are no more.
weir::Task<absl::StatusOr<RouteSummary>> Guide::RecordRoute(weir::ServerContext&, weir::Reader<Point>& reader) {
  RouteSummary summary;
  double metres = 0;
  std::optional<Point> last;
  const absl::Time begin = absl::Now();
  while (std::optional<Point> point = co_await reader.Read()) {
    if (absl::Status checked = CheckPoint(*point); !checked.ok()) co_return checked;
    summary.set_point_count(summary.point_count() + 1);
    if (FindPlace(*point) != nullptr) summary.set_feature_count(summary.feature_count() + 1);
    if (last.has_value()) metres += DistanceMetres(*last, *point);
    last = point;
  }
  summary.set_distance(static_cast<int32_t>(std::lround(metres)));
  summary.set_elapsed_time(static_cast<int32_t>(absl::ToInt64Seconds(absl::Now() - begin)));
  co_return summary;
}

// Many requests, many replies, in any order: here, each note is answered with the notes that were there before.
weir::Task<absl::Status> Guide::RouteChat(weir::ServerContext&, weir::Reader<RouteNote>& reader,
                                          weir::Writer<RouteNote>& writer) {
  while (std::optional<RouteNote> note = co_await reader.Read()) {
    std::vector<RouteNote> earlier;
    if (absl::Status kept = Exchange(*note, &earlier); !kept.ok()) co_return kept;
    for (const RouteNote& other : earlier) {
      if (!co_await writer.Write(other)) co_return absl::OkStatus();
    }
  }
  co_return absl::OkStatus();
}

absl::Status Guide::Exchange(const RouteNote& note, std::vector<RouteNote>* earlier) {
  if (absl::Status checked = CheckPoint(note.location()); !checked.ok()) return checked;
  const std::lock_guard lock(mutex_);
  for (const RouteNote& other : notes_) {
    if (SamePlace(other.location(), note.location())) earlier->push_back(other);
  }
  if (notes_.size() == kNotesMax) {
    return absl::ResourceExhaustedError(absl::StrCat("notes: expected at most ", kNotesMax, ", got one more"));
  }
  notes_.push_back(note);
  return absl::OkStatus();
}

}  // namespace routeguide
