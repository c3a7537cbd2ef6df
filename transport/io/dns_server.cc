#include "weir/transport/io/dns_server.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <cstdlib>
#include <cstring>

#include "absl/status/status.h"

namespace weir::transport {
namespace {

// A question of one name server: glibc's resolver with a state of its own.
class Question {
 public:
  explicit Question(const SocketAddress& server) {
    if (::res_ninit(&state_) != 0) return;
    // glibc keeps IPv6 servers aside, in memory that res_nclose frees as far as nscount says.
    for (int i = 0; i < state_.nscount; ++i) {
      std::free(state_._u._ext.nsaddrs[i]);
      state_._u._ext.nsaddrs[i] = nullptr;
    }
    state_.nscount = 1;
    state_.nsaddr_list[0] = {};
    if (server.family() == AF_INET) {
      std::memcpy(&state_.nsaddr_list[0], server.raw(), sizeof(sockaddr_in));
    } else if (server.family() == AF_INET6) {
      state_._u._ext.nsaddrs[0] = static_cast<sockaddr_in6*>(std::malloc(sizeof(sockaddr_in6)));
      if (state_._u._ext.nsaddrs[0] == nullptr) return;
      std::memcpy(state_._u._ext.nsaddrs[0], server.raw(), sizeof(sockaddr_in6));
    } else {
      return;
    }
    ready_ = true;
  }
  ~Question() { ::res_nclose(&state_); }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  // Appends the addresses of the answer; 0, or netdb.h's reason why there are none.
  int Ask(const std::string& host, ns_type type, uint16_t port, std::vector<SocketAddress>& addresses) {
    if (!ready_) return NETDB_INTERNAL;
    // The longest answer that TCP carries: nothing is cut off.
    std::vector<unsigned char> answer(NS_MAXMSG);
    const int size = ::res_nquery(&state_, host.c_str(), ns_c_in, type, answer.data(), static_cast<int>(answer.size()));
    if (size < 0) return state_.res_h_errno;
    ns_msg message;
    if (::ns_initparse(answer.data(), size, &message) != 0) return NO_RECOVERY;
    const size_t before = addresses.size();
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
      ns_rr record;
      if (::ns_parserr(&message, ns_s_an, i, &record) != 0) return NO_RECOVERY;
      if (ns_rr_type(record) == type) AppendAddress(record, port, addresses);  // the others are CNAMEs on the way
    }
    return addresses.size() > before ? 0 : NO_DATA;
  }

 private:
  static void AppendAddress(const ns_rr& record, uint16_t port, std::vector<SocketAddress>& addresses) {
    if (ns_rr_type(record) == ns_t_a && ns_rr_rdlen(record) == sizeof(in_addr)) {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      std::memcpy(&address.sin_addr, ns_rr_rdata(record), sizeof(in_addr));
      addresses.push_back(SocketAddress::FromRaw(&address, sizeof(address)));
    } else if (ns_rr_type(record) == ns_t_aaaa && ns_rr_rdlen(record) == sizeof(in6_addr)) {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(port);
      std::memcpy(&address.sin6_addr, ns_rr_rdata(record), sizeof(in6_addr));
      addresses.push_back(SocketAddress::FromRaw(&address, sizeof(address)));
    }
  }

  struct __res_state state_ {};
  bool ready_ = false;
};

std::string Reason(int error) {
  switch (error) {
    case HOST_NOT_FOUND:
      return "it knows no such name";
    case NO_DATA:
      return "the name has no IPv4 or IPv6 address";
    case TRY_AGAIN:
      return "it does not answer, or has failed";
    case NO_RECOVERY:
      return "its answer cannot be read";
    default:
      return ::hstrerror(error);
  }
}

}  // namespace

absl::StatusOr<std::vector<SocketAddress>> LookupAt(const SocketAddress& server, const std::string& host,
                                                    uint16_t port) {
  std::vector<SocketAddress> addresses;
  Question question(server);
  const int no_ipv6 = question.Ask(host, ns_t_aaaa, port, addresses);
  const int no_ipv4 = question.Ask(host, ns_t_a, port, addresses);
  if (!addresses.empty()) return addresses;
  // A server that fails in one of the two has not said that there are none.
  const int reason = no_ipv6 == TRY_AGAIN ? no_ipv6 : no_ipv4;
  return absl::UnavailableError("resolve \"" + host + "\" by the DNS server " + server.ToString() + ": " +
                                Reason(reason));
}

}  // namespace weir::transport
