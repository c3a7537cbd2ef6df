// Server: services, listening addresses, and the loops that serve their connections.
//
//   weir::Server server;
//   server.AddService(greeter);
//   absl::Status listening = server.Listen("0.0.0.0:50051", weir::InsecureServerCredentials());
//   server.RunUntilSignal();                       // SIGTERM or SIGINT drains, a second one stops
//
//   kNew --Listen--> serving --Drain--> draining --calls end, or the grace is over--> stopped
//
// Threads: ServerOptions says how many loops and workers there are; there are no others. Methods are for plain threads
// (they wait for the loops), one at a time, unless said otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "weir/rpc/life/timeout.h"
#include "weir/rpc/server/credentials.h"
#include "weir/rpc/server/memory_use.h"
#include "weir/rpc/server/server_options.h"
#include "weir/rpc/server/service.h"
#include "weir/transport/h2/limit.h"

namespace weir {

class InProcessListener;

class Server {
 public:
  Server();
  explicit Server(ServerOptions options);
  // Stops. Waits until every handler has returned; handlers see their call cancelled.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Before the first Listen of any kind. `service` must outlive the server. A method that is served twice makes Listen
  // fail.
  void AddService(Service& service);

  // Listens on one more address:
  //   "host:port"            a numeric host ("0.0.0.0", "[::]") or "localhost"; port 0 lets the system choose: see
  // port()
  //   "unix:/path"           the file is removed at the end, and replaced if nobody listens on it any more
  //   "unix-abstract:name"   a Unix socket without a file
  //   "systemd:", "systemd:name"   all sockets that systemd has passed on (sd_listen_fds(3)), or those of a name
  // INVALID_ARGUMENT if the address cannot be parsed, FAILED_PRECONDITION if it cannot be bound or nothing was passed
  // on; the text says what was expected and what the system said.
  absl::Status Listen(std::string_view address, ServerCredentials credentials);

  // Listens on a socket that listens already. It is the server's from then on; if there is an error, the caller's.
  absl::Status ListenOn(int fd, ServerCredentials credentials);

  // Stops listening on one of addresses(); connections that came that way stay. A Unix socket's file goes. NOT_FOUND
  // with the addresses that there are.
  absl::Status StopListening(std::string_view address);

  // Lets a process that takes this one's place have the listening sockets, through a Unix socket at `path`: see
  // TakeOver. It must be of the same user, or root's. When it has them, this server listens no more, and RunUntilSignal
  // drains as after a signal. Connections stay here until they are drained. The errors of Listen.
  absl::Status OfferHandover(std::string_view path);

  // Takes the listening sockets of the server that offers them at `path`, instead of Listen: no client is refused,
  // because one of the two always accepts. Returns when the other listens no more; then `path` is free for an offer of
  // this server. UNAVAILABLE if nobody offers anything: Listen, then. Blocks for 10 s at most.
  absl::Status TakeOver(std::string_view path, ServerCredentials credentials);

  // Serves a client at the other end of a connected socket, and no other. Whose it is, as above. Listening is not
  // needed.
  absl::Status AddConnection(int fd, ServerCredentials credentials);

  // For clients in the same process, which need no socket: see weir::InProcess. A server may have such clients and
  // no address. Several threads may ask at a time. The error of a service added twice, or of threads that cannot start.
  absl::StatusOr<InProcessListener> ListenInProcess();

  // Port of the first TCP address listened on; 0 before.
  int port() const;
  // All addresses listened on, in the order of Listen: "127.0.0.1:50051", "unix:/run/x.sock".
  std::vector<std::string> addresses() const;

  // Waits for SIGTERM or SIGINT, or for a successor (OfferHandover), then drains for ServerOptions::drain_grace; a
  // second signal cancels what is left.
  // OK if every call ended by itself.
  absl::Status RunUntilSignal();

  // Stops accepting, tells clients to go elsewhere (GOAWAY in two steps, RFC 9113 section 6.8), lets calls finish, and
  // cancels those that have not after `grace`. OK if every call ended by itself, DEADLINE_EXCEEDED with the number of
  // those cancelled if not. FAILED_PRECONDITION on a loop's thread, which it would block.
  absl::Status Drain(absl::Duration grace);

  // Drain without grace.
  void Stop();

  // Connections that are open now. Any thread.
  size_t connection_count() const;
  // Those that were closed at once because of ServerOptions::max_connections. Any thread.
  uint64_t refused_connection_count() const;
  // Calls that were refused because of ServerOptions::max_calls. Any thread.
  uint64_t refused_call_count() const;
  // How often a client let the time pass that it has for something, and its connection or call ended for it. Any
  // thread.
  uint64_t timeout_count(Timeout which) const;
  // How many connections ended because their client went beyond this limit (ServerOptions::budgets). Any thread.
  uint64_t limit_count(transport::H2Limit which) const;
  // What clients make it hold, and how often each ceiling for that was hit. Any thread.
  MemoryUse memory_use() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir
