// Plan: what a script does, without types; Play carries it out in a handler.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/server/server_context.h"
#include "weir/rpc/wire/bytes.h"
#include "weir/rpc/wire/messages.h"
#include "weir/testing/written.h"

namespace weir::testing::internal {

struct Plan {
  enum class Order : uint8_t { kWritesFirst, kReadsFirst };

  Plan() {}  // no aggregate: g++ 12 destroys those twice that are temporaries in co_await expressions

  Order order = Order::kWritesFirst;
  Metadata initial;
  Metadata trailing;
  std::vector<Bytes> messages;
  absl::Status status;
  std::shared_ptr<WrittenSink> written;
  bool hangs = false;

  // Does the client end its half before the status comes?
  bool reads_all() const { return status.ok() || written != nullptr; }
};

template <class M>
Bytes ToBytes(const M& message) {
  if constexpr (std::same_as<M, Bytes>) {
    return message;
  } else {
    return Bytes(message.SerializeAsString());
  }
}

template <class M>
M FromBytes(const Bytes& bytes) {
  if constexpr (std::same_as<M, Bytes>) {
    return bytes;
  } else {
    M message;
    message.ParseFromString(bytes.data());
    return message;
  }
}

inline void AddMetadata(const Plan& plan, ServerContext& context) {
  for (const auto& [key, value] : plan.initial) context.AddInitialMetadata(key, value);
  for (const auto& [key, value] : plan.trailing) context.AddTrailingMetadata(key, value);
}

template <class Request>
void Capture(const Plan& plan, const Request& message) {
  if (plan.written != nullptr) plan.written->Add(ToBytes(message));
}

template <class Request>
Task<void> ReadAll(const Plan& plan, Reader<Request>& reader) {
  while (std::optional<Request> message = co_await reader.Read()) {
    Capture(plan, *message);
  }
}

template <class Reply>
Task<void> WriteAll(const Plan& plan, Writer<Reply>& writer) {
  for (const Bytes& message : plan.messages) {
    const Reply reply = FromBytes<Reply>(message);
    if (!co_await writer.Write(reply)) break;
  }
}

// `reader`, `writer` null: the method has none, or the messages of that half come and go with the call.
template <class Request, class Reply>
Task<absl::Status> Play(Plan plan, ServerContext& context, Reader<Request>* reader, Writer<Reply>* writer) {
  AddMetadata(plan, context);
  if (plan.hangs) co_await context.Cancelled();
  const bool reads = reader != nullptr && plan.reads_all() && !plan.hangs;
  const bool reads_first = plan.order == Plan::Order::kReadsFirst;
  if (reads && reads_first) co_await ReadAll(plan, *reader);
  if (writer != nullptr) co_await WriteAll(plan, *writer);
  if (reads && !reads_first) co_await ReadAll(plan, *reader);
  co_return plan.status;
}

}  // namespace weir::testing::internal
