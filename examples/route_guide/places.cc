#include "examples/route_guide/places.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"

namespace routeguide {
namespace {

constexpr double kUnitsPerDegree = 1e7;

Feature Place(std::string_view name, double latitude_degrees, double longitude_degrees) {
  Feature place;
  place.set_name(std::string(name));
  *place.mutable_location() = At(latitude_degrees, longitude_degrees);
  return place;
}

double Radians(int32_t units) { return units / kUnitsPerDegree * M_PI / 180; }

bool Between(int32_t x, int32_t a, int32_t b) { return std::min(a, b) <= x && x <= std::max(a, b); }

}  // namespace

std::span<const Feature> KnownPlaces() {
  static const std::vector<Feature> places = {Place("Grindelwald, station", 46.6244, 8.0330),
                                              Place("First, cable car", 46.6594, 8.0545),
                                              Place("Bachalpsee", 46.6702, 8.0229),
                                              Place("Schynige Platte, alpine garden", 46.6523, 7.9092),
                                              Place("Maennlichen, viewpoint", 46.6127, 7.9410),
                                              Place("Kleine Scheidegg", 46.5853, 7.9610),
                                              Place("Eigergletscher, hut", 46.5748, 7.9741),
                                              Place("Jungfraujoch", 46.5475, 7.9854)};
  return places;
}

Point At(double latitude_degrees, double longitude_degrees) {
  Point point;
  point.set_latitude(static_cast<int32_t>(std::lround(latitude_degrees * kUnitsPerDegree)));
  point.set_longitude(static_cast<int32_t>(std::lround(longitude_degrees * kUnitsPerDegree)));
  return point;
}

std::string ToText(const Point& point) {
  return absl::StrFormat("%.4f, %.4f", point.latitude() / kUnitsPerDegree, point.longitude() / kUnitsPerDegree);
}

bool SamePlace(const Point& a, const Point& b) {
  return a.latitude() == b.latitude() && a.longitude() == b.longitude();
}

bool Contains(const Rectangle& area, const Point& point) {
  return Between(point.latitude(), area.lo().latitude(), area.hi().latitude()) &&
         Between(point.longitude(), area.lo().longitude(), area.hi().longitude());
}

double DistanceMetres(const Point& a, const Point& b) {
  constexpr double kEarthRadiusMetres = 6371000;
  const double dlat = Radians(b.latitude()) - Radians(a.latitude());
  const double dlon = Radians(b.longitude()) - Radians(a.longitude());
  // The haversine formula.
  const double h = std::pow(std::sin(dlat / 2), 2) +
                   std::cos(Radians(a.latitude())) * std::cos(Radians(b.latitude())) * std::pow(std::sin(dlon / 2), 2);
  return 2 * kEarthRadiusMetres * std::asin(std::sqrt(std::min(1.0, h)));
}

}  // namespace routeguide
