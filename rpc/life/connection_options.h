// ClientConnectionOptions, ServerConnectionOptions: how long a connection may live, and what its peer must do in which
// time.
//
//   options.connection.keepalive.time = absl::Seconds(30);
//
// Every time may be absl::InfiniteDuration(): never.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace weir {

// PINGs that find out whether the peer is still there (gRFC A8, A9).
struct KeepaliveOptions {
  // After so long without a byte from the peer, a PING is sent.
  absl::Duration time = absl::InfiniteDuration();
  // No byte within so long after the PING: the connection is lost, and its calls end with UNAVAILABLE.
  absl::Duration timeout = absl::Seconds(20);
  // Also while there is no call. Otherwise the first call after a silence is preceded by a PING.
  bool without_calls = false;
};

// What a server allows its clients of PINGs. One that comes earlier is a strike, unless HEADERS or DATA were sent since
// the last one; one strike more than allowed, and the connection is closed: GOAWAY ENHANCE_YOUR_CALM "too_many_pings".
struct PingRules {
  // Zero: no such rule, only the budget (ServerOptions::budgets).
  absl::Duration min_interval = absl::Minutes(5);
  // The same interval while there is no call; otherwise 2 hours.
  bool without_calls = false;
  uint32_t strikes_max = 2;
};

struct ClientConnectionOptions {
  // Off. Less than 10 s counts as 10 s. A server that says "too_many_pings" doubles `time` for the next connections of
  // the channel, and standard error tells so, once.
  KeepaliveOptions keepalive;

  // From the server's first SETTINGS to its acknowledgement of ours; then GOAWAY with SETTINGS_TIMEOUT.
  absl::Duration settings_ack_timeout = absl::Seconds(10);

  // From the beginning of a header block to its end; then GOAWAY with ENHANCE_YOUR_CALM.
  absl::Duration header_block_timeout = absl::Seconds(10);

  // The server reads nothing of what waits for it: the connection is lost. Without keepalive also TCP_USER_TIMEOUT, the
  // same for what the server's system does not acknowledge; with keepalive, that is keepalive.timeout (gRFC A18).
  absl::Duration write_timeout = absl::Seconds(30);

  // Bytes that wait on the connection: responses of which only a part has come, or that nobody reads. Beyond the soft
  // ceiling windows are rationed: 64 KiB for each call, and of the messages that have come in part one gets window for
  // its rest at a time. Beyond the hard one, for which there must be room for so many windows, the connection is
  // closed, GOAWAY ENHANCE_YOUR_CALM, and its calls end with RESOURCE_EXHAUSTED. (Of responses that nobody reads,
  // ChannelOptions::unread_bytes_max lets less come.) 0: 32 MiB, or eight times max_receive_message_bytes if that is
  // more; and four times the soft one.
  size_t memory_soft_bytes = 0;
  size_t memory_hard_bytes = 0;
};

struct ServerConnectionOptions {
  KeepaliveOptions keepalive{.time = absl::Hours(2), .timeout = absl::Seconds(20), .without_calls = true};
  PingRules pings;

  // From accepting a connection to the client's SETTINGS: TLS, preface and all.
  absl::Duration handshake_timeout = absl::Seconds(10);

  // As for a client.
  absl::Duration settings_ack_timeout = absl::Seconds(10);
  absl::Duration header_block_timeout = absl::Seconds(10);
  absl::Duration write_timeout = absl::Seconds(30);

  // A handler waits for a message of which a part has come and no more for so long, or up to a quarter longer: the
  // stream is reset with CANCEL.
  absl::Duration message_timeout = absl::Seconds(60);

  // A connection without calls for so long is drained: GOAWAY in two steps, "max_idle" (gRFC A9).
  absl::Duration max_idle = absl::Hours(1);

  // A connection that is so old, up to 10 % more or less by chance, is drained: "max_age". Calls that are still under
  // way after `max_age_grace` end with UNAVAILABLE. For fleets behind a load balancer of connections.
  absl::Duration max_age = absl::InfiniteDuration();
  absl::Duration max_age_grace = absl::Seconds(60);

  // Bytes that wait on the connection: responses that the client does not take, requests of which only a part has come
  // or that nobody reads. See also ServerOptions::memory_soft_bytes.
  //
  // Beyond the soft ceiling windows are rationed, until half of it is left: 64 KiB for each stream, and of the messages
  // that have come in part one gets window for its rest at a time. While the responses alone are beyond it, calls that
  // come begin later. Beyond the hard one, for which there must be room for max_concurrent_streams such windows, the
  // connection is closed, GOAWAY ENHANCE_YOUR_CALM; because of responses, which handlers may finish all at once, only
  // if the client takes none of them for thirty seconds.
  //
  // 0: 32 MiB, or eight times max_receive_message_bytes if that is more; and four times the soft one.
  size_t memory_soft_bytes = 0;
  size_t memory_hard_bytes = 0;
};

}  // namespace weir
