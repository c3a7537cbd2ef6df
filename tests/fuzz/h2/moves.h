// What an input of connection_fuzz says, for those who write one.
//
// Two octets choose role, limits and budgets. The rest are moves: an octet below kFirstCall is so many octets that come
// from the peer (0: all the rest); any other is kFirstCall + a call, behind which a stream's id and an amount stand,
// and for some calls texts: a size and so many octets.
#pragma once

#include <cstdint>

namespace weir::transport {

inline constexpr uint8_t kFirstCall = 160;

enum class Call : uint8_t {
  kPull,
  kOpen,
  kRespond,
  kSend,
  kSendShared,
  kSendTrailers,
  kReset,
  kResetAfterEnd,
  kRemove,
  kConsume,
  kBeginDrain,
  kFinishDrain,
  kPing,
  kPullAll,
  kAdvanceTime,
  kRespondWithStatus,
  kRespondWithFields,
  kOpenTunnel,
  kReserve,
  kClose,
  kAsk,
  kOpenWithField,
  kWithhold,
  kReopen,
  kResizeWindows,
  kSendTrailersWithField,
  kReceiveBody,
  kReceiveMany,
  kMark,
  kAbandon,
  kCalls,  // how many there are
};

// The first octet of an input, bit by bit.
enum class Shape : uint8_t {
  kClient = 1,
  kThreeStreams = 2,
  kSmallWindow = 4,
  kSmallHeaders = 8,
  kNoExtendedConnect = 16,
  kHoldsNothing = 32,
  kLastIds = 64,
  kFewFields = 128,
};

}  // namespace weir::transport
