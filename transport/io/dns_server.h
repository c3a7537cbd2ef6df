// LookupAt: the addresses of a host as one DNS server knows them, instead of those that the system's resolver finds
// (files, search lists and the servers of /etc/resolv.conf do not count).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/transport/io/socket_address.h"

namespace weir::transport {

// Asks for AAAA and A records, IPv6 first, by UDP, and by TCP where the answer is too long for it. `host` is a whole
// name. Blocks: 5 s, twice, for a server that does not answer, or what "options" in /etc/resolv.conf says
// (resolv.conf(5)). One kind of record is enough; UNAVAILABLE names host, server and reason if there is neither.
// `server` is an IPv4 or IPv6 address. From any thread.
absl::StatusOr<std::vector<SocketAddress>> LookupAt(const SocketAddress& server, const std::string& host,
                                                    uint16_t port);

}  // namespace weir::transport
