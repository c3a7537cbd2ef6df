// Places: what the guide knows. A few stops between Grindelwald and the Jungfraujoch.
#pragma once

#include <span>
#include <string>

#include "examples/route_guide/route_guide.pb.h"

namespace routeguide {

// Every known place, in the order in which a hiker would come past.
std::span<const Feature> KnownPlaces();

// From degrees, which people write, to the units of 1e-7 degrees of the protocol.
Point At(double latitude_degrees, double longitude_degrees);

// "46.6702, 8.0229"
std::string ToText(const Point& point);

bool SamePlace(const Point& a, const Point& b);
bool Contains(const Rectangle& area, const Point& point);

// Along the surface.
double DistanceMetres(const Point& a, const Point& b);

}  // namespace routeguide
