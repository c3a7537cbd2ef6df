// DnsAnswers: a DNS server on 127.0.0.1 or ::1, on a port and a thread of its own, that answers as the test says.
//
//   DnsAnswers dns("127.0.0.1");
//   dns.Add("greeter.test", {.ipv4 = {"10.0.0.1"}});
//   LookupAt(dns.address(), "greeter.test", 50051)
//
// The answers are set before the first question.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "weir/transport/io/socket_address.h"

namespace weir::testing {

class DnsAnswers {
 public:
  struct Records {
    std::vector<std::string> ipv4;
    std::vector<std::string> ipv6;
    std::string alias;       // not empty: a CNAME to this name, which has the addresses
    bool fails = false;      // SERVFAIL
    bool malformed = false;  // an answer that promises more than it holds
  };

  explicit DnsAnswers(const std::string& host);
  ~DnsAnswers();
  DnsAnswers(const DnsAnswers&) = delete;
  DnsAnswers& operator=(const DnsAnswers&) = delete;

  // Names that are not added do not exist (NXDOMAIN).
  void Add(const std::string& name, Records records) {
    const std::scoped_lock lock(mutex_);
    records_[name] = std::move(records);
  }

  const transport::SocketAddress& address() const { return address_; }

 private:
  void Serve() const;
  std::string AnswerTo(const std::string& question) const;

  mutable std::mutex mutex_;
  std::map<std::string, Records> records_;  // guarded by it
  int fd_ = -1;
  transport::SocketAddress address_;
  std::thread thread_;
};

}  // namespace weir::testing
