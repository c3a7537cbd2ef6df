#include "weir/rpc/client/proxy/proxy_connector.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/target.h"
#include "weir/transport/io/dns.h"
#include "weir/transport/io/http_tunnel.h"

namespace weir {
namespace {

using transport::HttpTunnel;
using transport::HttpTunnelRequest;
using transport::Resolver;
using transport::SocketAddress;

// Looks the proxy up, connects to the first of its addresses that answers, and asks it for the way.
class ProxyAttempt final : public ConnectAttempt {
 public:
  ProxyAttempt(transport::EventLoop& loop, Resolver& lookups, const ProxySettings& proxy, Connector& next,
               HttpTunnelRequest request, Connector::OnDone on_done)
      : loop_(loop), next_(next), request_(std::move(request)), on_done_(std::move(on_done)) {
    name_ = absl::StrCat("proxy ", proxy.host, ":", proxy.port);
    query_ = lookups.Resolve(loop, proxy.host, proxy.port, [this](absl::StatusOr<Resolver::Addresses> addresses) {
      OnAddresses(std::move(addresses));
    });
  }

  std::string WaitsFor() const override {
    if (tunnel_ != nullptr) return absl::StrCat(name_, ": CONNECT ", request_.destination, ": no answer");
    if (query_ != nullptr) return absl::StrCat(name_, ": its name was not resolved");
    return absl::StrCat(name_, ": no connection");
  }

 private:
  void OnAddresses(absl::StatusOr<Resolver::Addresses> addresses) {
    query_.reset();
    if (!addresses.ok()) return Fail(addresses.status());
    addresses_ = *std::move(addresses);
    TryNext();
  }

  void TryNext() {
    const SocketAddress address = addresses_[tried_++];
    to_proxy_ = next_.Connect(loop_, address,
                              [this](absl::StatusOr<ConnectedStream> stream) { OnConnected(std::move(stream)); });
  }

  void OnConnected(absl::StatusOr<ConnectedStream> connected) {
    to_proxy_.reset();
    if (!connected.ok()) return tried_ < addresses_.size() ? TryNext() : Fail(connected.status());
    tunnel_ = std::make_unique<HttpTunnel>(
        loop_, std::move(connected->stream), request_,
        [this](absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream) { OnTunnel(std::move(stream)); });
    tunnel_->Start();
  }

  void OnTunnel(absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream) {
    const Connector::OnDone on_done = std::move(on_done_);  // may destroy us
    if (!stream.ok()) return on_done(stream.status());
    on_done(ConnectedStream{.stream = *std::move(stream)});
  }

  void Fail(const absl::Status& why) {
    const Connector::OnDone on_done = std::move(on_done_);  // may destroy us
    on_done(absl::UnavailableError(absl::StrCat(name_, ": ", why.message())));
  }

  transport::EventLoop& loop_;
  Connector& next_;
  const HttpTunnelRequest request_;
  Connector::OnDone on_done_;
  std::string name_;
  // One after the other.
  std::unique_ptr<Resolver::Query> query_;
  Resolver::Addresses addresses_;
  size_t tried_ = 0;
  std::unique_ptr<ConnectAttempt> to_proxy_;
  std::unique_ptr<HttpTunnel> tunnel_;
};

class ProxyConnector final : public Connector {
 public:
  ProxyConnector(ProxySettings proxy, std::string destination, std::unique_ptr<Connector> next)
      : proxy_(std::move(proxy)), destination_(std::move(destination)), next_(std::move(next)) {}

  std::unique_ptr<ConnectAttempt> Connect(transport::EventLoop& loop, const SocketAddress& address,
                                          OnDone on_done) override {
    HttpTunnelRequest request{.destination = destination_, .authorization = proxy_.authorization};
    if (address != SocketAddress()) {
      request.destination = address.ToString();
      if (proxy_.no_proxy.Includes(HostOf(request.destination)))
        return next_->Connect(loop, address, std::move(on_done));
    }
    return std::make_unique<ProxyAttempt>(loop, lookups_, proxy_, *next_, std::move(request), std::move(on_done));
  }

 private:
  const ProxySettings proxy_;
  const std::string destination_;
  const std::unique_ptr<Connector> next_;
  Resolver lookups_;
};

}  // namespace

std::unique_ptr<Connector> MakeProxyConnector(ProxySettings proxy, std::string destination,
                                              std::unique_ptr<Connector> next) {
  return std::make_unique<ProxyConnector>(std::move(proxy), std::move(destination), std::move(next));
}

}  // namespace weir
