// Scripts: what the methods of generated mocks answer, those of clients and those of services.
//
//   using namespace weir::testing;
//
//   MockGreeterClient greeter;
//   EXPECT_CALL(greeter, SayHello(_, _)).WillOnce(Replies(reply)).WillOnce(Fails(absl::NotFoundError("nobody")));
//   EXPECT_CALL(greeter, List(_, _)).WillOnce(Streams({first, second}).Then(absl::DataLossError("torn")));
//   Written<HelloRequest> written;
//   EXPECT_CALL(greeter, Collect(_)).WillOnce(Replies(summary).CaptureTo(written));
//
//   Replies    unary and client streaming: takes what the client writes, then replies
//   Streams    server streaming and bidi: writes the messages, takes what the client writes, then ends: with OK, or as Then
//              says
//   Fails      every kind: ends with the status
//   Hangs      every kind: ends when it is cancelled
//
// An error comes at once, without waiting for the client to write all, unless CaptureTo asks for that.
// A method of a client gives a real call, played by a server in this process: it can be awaited, waited for, cancelled,
// has metadata and a deadline. A method of a service gives a handler. A script that does not fit the method does not
// compile.
#pragma once

#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "weir/testing/plan.h"
#include "weir/testing/play_client.h"
#include "weir/testing/play_service.h"
#include "weir/testing/written.h"

namespace weir::testing {

// Types of the messages that the method has to have; void fits every method.
template <class Reply, class Request = void>
class [[nodiscard]] Script {
 public:
  explicit Script(internal::Plan plan) : plan_(std::move(plan)) {}

  Script InitialMetadata(std::string_view key, std::string_view value) && {
    plan_.initial.Add(key, value);
    return std::move(*this);
  }
  Script TrailingMetadata(std::string_view key, std::string_view value) && {
    plan_.trailing.Add(key, value);
    return std::move(*this);
  }
  // The status after the messages of Streams.
  Script Then(absl::Status status) && {
    plan_.status = std::move(status);
    return std::move(*this);
  }
  // What the client writes is added to `written`.
  template <class M>
  Script<Reply, M> CaptureTo(const Written<M>& written) && {
    plan_.written = written.sink();
    return Script<Reply, M>(std::move(plan_));
  }

  // As gmock's own actions, fits what it is given to.
  template <class Result, class... Args>
  operator ::testing::Action<Result(Args...)>() const {
    using Player = internal::Player<Result, Args...>;
    static_assert(std::is_void_v<Reply> || std::is_same_v<Reply, typename Player::Reply>,
                  "Replies, Streams: expected the message type that the method replies with");
    static_assert(std::is_void_v<Request> || std::is_same_v<Request, typename Player::Request>,
                  "CaptureTo: expected Written of the message type that the client writes");
    return [plan = plan_](Args... args) -> Result { return Player::Play(plan, args...); };
  }

 private:
  internal::Plan plan_;
};

template <class Reply>
Script<Reply> Replies(const Reply& reply) {
  internal::Plan plan;
  plan.order = internal::Plan::Order::kReadsFirst;
  plan.messages.push_back(Bytes(reply.SerializeAsString()));
  return Script<Reply>(std::move(plan));
}

template <class Reply>
Script<Reply> Streams(const std::vector<Reply>& messages) {
  internal::Plan plan;
  for (const Reply& message : messages) plan.messages.push_back(Bytes(message.SerializeAsString()));
  return Script<Reply>(std::move(plan));
}
template <class Reply>
Script<Reply> Streams(std::initializer_list<Reply> messages) {
  return Streams(std::vector<Reply>(messages));
}

inline Script<void> Fails(absl::Status status) {
  internal::Plan plan;
  plan.status = std::move(status);
  return Script<void>(std::move(plan));
}

inline Script<void> Hangs() {
  internal::Plan plan;
  plan.hangs = true;
  return Script<void>(std::move(plan));
}

}  // namespace weir::testing
