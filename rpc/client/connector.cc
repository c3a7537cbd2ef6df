#include "weir/rpc/client/connector.h"

#include <utility>

#include "weir/transport/io/tcp.h"

namespace weir {
namespace {

class SocketAttempt final : public ConnectAttempt {
 public:
  SocketAttempt(transport::EventLoop& loop, const transport::SocketAddress& address, Connector::OnDone on_done)
      : connector_(loop, address,
                   [on_done = std::move(on_done)](absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream) {
                     if (!stream.ok()) return on_done(stream.status());
                     on_done(ConnectedStream{.stream = *std::move(stream)});
                   }) {
    connector_.Start();
  }

 private:
  transport::TcpConnector connector_;
};

class SocketConnector final : public Connector {
 public:
  std::unique_ptr<ConnectAttempt> Connect(transport::EventLoop& loop, const transport::SocketAddress& address,
                                          OnDone on_done) override {
    return std::make_unique<SocketAttempt>(loop, address, std::move(on_done));
  }
};

// The outcome is known, and told in the next turn.
class KnownAttempt final : public ConnectAttempt {
 public:
  KnownAttempt(transport::EventLoop& loop, absl::StatusOr<ConnectedStream> outcome, Connector::OnDone on_done)
      : outcome_(std::move(outcome)), on_done_(std::move(on_done)), tell_(loop, [this] { Tell(); }) {
    tell_.Set(loop.Now());
  }

 private:
  void Tell() {
    const Connector::OnDone on_done = std::move(on_done_);  // may destroy us
    absl::StatusOr<ConnectedStream> outcome = std::move(outcome_);
    on_done(std::move(outcome));
  }

  absl::StatusOr<ConnectedStream> outcome_;
  Connector::OnDone on_done_;
  transport::Timer tell_;
};

class SourceConnector final : public Connector {
 public:
  explicit SourceConnector(std::unique_ptr<StreamSource> source) : source_(std::move(source)) {}

  std::unique_ptr<ConnectAttempt> Connect(transport::EventLoop& loop, const transport::SocketAddress& address,
                                          OnDone on_done) override {
    absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream = source_->ConnectTo(loop, address);
    if (!stream.ok()) return std::make_unique<KnownAttempt>(loop, stream.status(), std::move(on_done));
    return std::make_unique<KnownAttempt>(loop, ConnectedStream{.stream = *std::move(stream)}, std::move(on_done));
  }

 private:
  const std::unique_ptr<StreamSource> source_;
};

class AdoptingConnector final : public Connector {
 public:
  AdoptingConnector(ConnectedStream first, std::unique_ptr<Connector> next)
      : first_(std::move(first)), next_(std::move(next)) {}

  std::unique_ptr<ConnectAttempt> Connect(transport::EventLoop& loop, const transport::SocketAddress& address,
                                          OnDone on_done) override {
    if (first_.stream == nullptr) return next_->Connect(loop, address, std::move(on_done));
    return std::make_unique<KnownAttempt>(loop, std::move(first_), std::move(on_done));
  }

 private:
  ConnectedStream first_;
  const std::unique_ptr<Connector> next_;
};

}  // namespace

std::unique_ptr<Connector> MakeSocketConnector() { return std::make_unique<SocketConnector>(); }

std::unique_ptr<Connector> MakeSourceConnector(std::unique_ptr<StreamSource> source) {
  return std::make_unique<SourceConnector>(std::move(source));
}

std::unique_ptr<Connector> MakeAdoptingConnector(ConnectedStream first, std::unique_ptr<Connector> next) {
  return std::make_unique<AdoptingConnector>(std::move(first), std::move(next));
}

}  // namespace weir
