// Guide: the service, one method of each of the four kinds.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "examples/route_guide/route_guide.weir.pb.h"

namespace routeguide {

// Handlers run on the loop thread of their connection: several at a time, so what they share has a lock. None is held
// across a co_await.
class Guide final : public RouteGuideService {
 public:
  // Notes are kept for as long as the server runs; one more is refused with RESOURCE_EXHAUSTED.
  static constexpr size_t kNotesMax = 1000;

  weir::Task<absl::StatusOr<Feature>> GetFeature(weir::ServerContext& context, const Point& request) override;
  weir::Task<absl::Status> ListFeatures(weir::ServerContext& context, const Rectangle& request,
                                        weir::Writer<Feature>& writer) override;
  weir::Task<absl::StatusOr<RouteSummary>> RecordRoute(weir::ServerContext& context,
                                                       weir::Reader<Point>& reader) override;
  weir::Task<absl::Status> RouteChat(weir::ServerContext& context, weir::Reader<RouteNote>& reader,
                                     weir::Writer<RouteNote>& writer) override;

 private:
  // Keeps `note`, and puts what others left at its place before into `earlier`.
  absl::Status Exchange(const RouteNote& note, std::vector<RouteNote>* earlier);

  std::mutex mutex_;
  std::vector<RouteNote> notes_;
};

}  // namespace routeguide
