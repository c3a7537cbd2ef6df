// TestProxy: an HTTP proxy on loopback that notes what it is asked, and answers as it is told.
//
//   TestProxy proxy(port);                                  // agrees, and leads to that port whatever is asked for
//   options.http_proxy = "http://" + proxy.address();
//   EXPECT_THAT(proxy.asked(), ElementsAre("CONNECT a.example:443 HTTP/1.1 | Host: a.example:443"));
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::testing {

class TestProxy {
 public:
  // `leads_to`: a port on loopback; 0: the connection ends with the answer. `answer` empty: it never comes.
  explicit TestProxy(int leads_to, std::string answer = "HTTP/1.1 200 Connection established\r\n\r\n");
  ~TestProxy();
  TestProxy(const TestProxy&) = delete;
  TestProxy& operator=(const TestProxy&) = delete;

  std::string address() const;       // "127.0.0.1:41234"
  std::vector<std::string> asked();  // each head as one line

 private:
  void Accept();
  void Serve(int client);
  void Join(int a, int b);

  const int leads_to_;
  const std::string answer_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};  // readable once the proxy goes
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace weir::testing
