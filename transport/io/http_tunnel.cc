#include "weir/transport/io/http_tunnel.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace weir::transport {
namespace {

constexpr std::string_view kVersion = "HTTP/1.";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

// What the proxy said, for a text: one line, not all of it.
std::string Quoted(std::string_view said) {
  constexpr size_t kBytesMax = 80;
  const std::string_view line = said.substr(0, said.find("\r\n")).substr(0, kBytesMax);
  return absl::StrCat("\"", absl::CHexEscape(absl::string_view(line.data(), line.size())), "\"");
}

// "HTTP/1.1 200 Connection established": 200; 0 if it is no status line.
int StatusOf(std::string_view head) {
  const size_t blank = head.find(' ');
  if (blank == head.npos || head.size() < blank + 4) return 0;
  int status = 0;
  for (const char c : head.substr(blank + 1, 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status;
}

std::string WhatToDo(int status) {
  switch (status) {
    case 401:
    case 407:
      return "it wants to know who asks: give it http://user:password@host:port";
    case 403:
    case 405:
      return "it does not allow this destination: allow it there, or leave the destination out (no_proxy)";
    case 400:
    case 404:
      return "does it know CONNECT?";
    case 500:
    case 502:
    case 503:
    case 504:
      return "it could not connect to the destination itself";
    default:
      return "expected 200";
  }
}

}  // namespace

// Over the stream to the proxy: first for the tunnel, then for whoever gets it.
class HttpTunnel::TunnelStream final : public ByteStream, private ByteStreamObserver {
 public:
  TunnelStream(EventLoop& loop, std::unique_ptr<ByteStream> to_proxy, const std::string& destination)
      : loop_(loop),
        to_proxy_(std::move(to_proxy)),
        peer_name_(absl::StrCat(destination, " via ", to_proxy_->PeerName())),
        readable_(loop, [this] { observer_->OnReadable(); }),
        writable_(loop, [this] { observer_->OnWritable(); }) {}

  // The tunnel is made, and lets go of this. `bytes` have come behind the proxy's answer: they are the destination's.
  void Release(std::string bytes) {
    unread_ = std::move(bytes);
    observer_ = nullptr;
  }
  const ByteStream& to_proxy() const { return *to_proxy_; }

  absl::Status Start(ByteStreamObserver* observer) override {
    observer_ = observer;
    if (!std::exchange(started_, true)) return to_proxy_->Start(this);
    // What could be done already was reported to somebody else.
    readable_.Set(loop_.Now());
    writable_.Set(loop_.Now());
    return absl::OkStatus();
  }

  IoResult Read(std::span<char> buffer) override {
    if (unread_.empty()) return to_proxy_->Read(buffer);
    const size_t count = unread_.copy(buffer.data(), buffer.size());
    unread_.erase(0, count);
    return {.kind = IoResult::Kind::kDone, .bytes = count, .error = {}};
  }
  IoResult Write(std::span<const std::string_view> pieces) override { return to_proxy_->Write(pieces); }
  void SetAcknowledgeTimeout(std::chrono::nanoseconds limit) override { to_proxy_->SetAcknowledgeTimeout(limit); }
  void ShutdownWrite() override { to_proxy_->ShutdownWrite(); }
  std::string PeerName() const override { return peer_name_; }
  std::string LocalName() const override { return to_proxy_->LocalName(); }

 private:
  void OnReadable() override {
    if (observer_ != nullptr) observer_->OnReadable();
  }
  void OnWritable() override {
    if (observer_ != nullptr) observer_->OnWritable();
  }

  EventLoop& loop_;
  const std::unique_ptr<ByteStream> to_proxy_;
  const std::string peer_name_;
  ByteStreamObserver* observer_ = nullptr;
  bool started_ = false;
  std::string unread_;
  Timer readable_;
  Timer writable_;
};

HttpTunnel::HttpTunnel(EventLoop& loop, std::unique_ptr<ByteStream> to_proxy, const HttpTunnelRequest& request,
                       OnDone on_done)
    : loop_(loop),
      destination_(request.destination),
      unsent_(absl::StrCat("CONNECT ", destination_, " HTTP/1.1\r\nHost: ", destination_, "\r\n")),
      stream_(std::make_unique<TunnelStream>(loop, std::move(to_proxy), destination_)),
      on_done_(std::move(on_done)),
      report_(loop, [this] { Report(); }) {
  if (!request.authorization.empty()) absl::StrAppend(&unsent_, "Proxy-Authorization: ", request.authorization, "\r\n");
  unsent_ += "\r\n";
}

HttpTunnel::~HttpTunnel() = default;

void HttpTunnel::Start() {
  const absl::Status started = stream_->Start(this);
  if (!started.ok()) return Fail(started);
  OnWritable();
}

void HttpTunnel::OnWritable() {
  while (!unsent_.empty() && !report_.IsSet()) {
    const std::string_view piece = unsent_;
    const IoResult result = stream_->Write({&piece, 1});
    if (result.kind == IoResult::Kind::kWouldBlock) return;
    if (result.kind != IoResult::Kind::kDone) return Fail(result.error);
    unsent_.erase(0, result.bytes);
  }
}

void HttpTunnel::OnReadable() {
  std::array<char, 1024> buffer;
  while (!report_.IsSet()) {
    const IoResult result = stream_->Read(buffer);
    if (result.kind == IoResult::Kind::kWouldBlock) return;
    if (result.kind == IoResult::Kind::kError) return Fail(result.error);
    if (result.kind == IoResult::Kind::kEnd) {
      return Fail(answer_.empty()
                      ? "expected an answer, got the end of the connection"
                      : absl::StrCat("expected an answer, got ", Quoted(answer_), " and the end of the connection"));
    }
    answer_.append(buffer.data(), result.bytes);
    OnAnswerBytes();
  }
}

void HttpTunnel::OnAnswerBytes() {
  if (!kVersion.starts_with(std::string_view(answer_).substr(0, kVersion.size()))) {
    return Fail(absl::StrCat("expected an answer of HTTP/1.1, got ", Quoted(answer_), ": is that an HTTP proxy?"));
  }
  const size_t end = answer_.find(kHeadEnd);
  if (std::min(end, answer_.size()) > kAnswerBytesMax) {
    return Fail(absl::StrCat("expected an answer of at most ", kAnswerBytesMax, " bytes, got ", Quoted(answer_),
                             " and more than that"));
  }
  if (end != answer_.npos) OnAnswer(std::string_view(answer_).substr(0, end));
}

void HttpTunnel::OnAnswer(std::string_view head) {
  const int status = StatusOf(head);
  if (status >= 100 && status < 200) {  // the answer is still to come
    answer_.erase(0, head.size() + kHeadEnd.size());
    if (!answer_.empty()) OnAnswerBytes();
    return;
  }
  if (status < 200 || status > 299) return Fail(absl::StrCat("it said ", Quoted(head), ": ", WhatToDo(status)));
  stream_->Release(answer_.substr(head.size() + kHeadEnd.size()));
  report_.Set(loop_.Now());
}

void HttpTunnel::Fail(const std::string& what) {
  outcome_ = absl::UnavailableError(
      absl::StrCat("proxy ", stream_->to_proxy().PeerName(), ": CONNECT ", destination_, ": ", what));
  report_.Set(loop_.Now());
}

void HttpTunnel::Report() {
  const OnDone on_done = std::move(on_done_);  // may destroy us
  if (!outcome_.ok()) return on_done(outcome_);
  on_done(std::move(stream_));
}

}  // namespace weir::transport
