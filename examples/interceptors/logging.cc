#include "examples/interceptors/logging.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace interceptors {
namespace {

struct Messages {
  size_t count = 0;
  size_t bytes = 0;

  std::string ToText(const char* what) const {
    return absl::StrCat(count, " ", what, count == 1 ? "" : "s", " of ", bytes, " bytes");
  }
};

// A hook that counts into `messages`.
weir::InterceptedCall::MessageHook Count(Messages& messages) {
  return [&messages](weir::InterceptedMessage& message) {
    ++messages.count;
    messages.bytes += message.FramedBytes();
    return absl::OkStatus();
  };
}

}  // namespace

weir::Task<absl::Status> Logging::Intercept(const weir::MethodSpec& method, weir::InterceptedCall& call,
                                            const weir::Next& next) {
  const absl::Time begin = absl::Now();
  Messages requests;
  Messages responses;
  call.OnRequestMessage(Count(requests));
  call.OnResponseMessage(Count(responses));
  absl::Status status = co_await next(call);
  sink_(absl::StrCat(std::string(method.path), " ", std::string(call.peer()), " ",
                     absl::StatusCodeToString(status.code()), " ", absl::FormatDuration(absl::Now() - begin), ", ",
                     requests.ToText("request"), ", ", responses.ToText("response")));
  co_return status;
}

}  // namespace interceptors
