// Calls that fail before they have a stream.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string_view>

#include "weir/tests/rpc/failures/modes.h"
#include "weir/tests/rpc/failures/rig.h"

namespace weir::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Ends = std::vector<absl::Status>;

CallOptions Within(absl::Duration timeout) { return CallOptions().Timeout(timeout); }

// A call to a server whose first bytes are these, and which then closes.
Ends Greeted(std::string_view bytes) {
  Rig rig;
  rig.Unary();
  rig.Advance(milliseconds(1));
  rig.PeerBytes(bytes);
  rig.PeerCloses();
  return rig.TakeEnds();
}

Ends BadTarget() {
  Rig rig("greeter:http");
  rig.Unary();
  return rig.TakeEnds();
}

absl::StatusOr<transport::Resolver::Addresses> NotKnown(const std::string& host, uint16_t) {
  return absl::UnavailableError("resolve \"" + host + "\": Name or service not known");
}

Ends UnknownName() {
  Rig rig("greeter:50051", NotKnown);
  rig.Unary();
  rig.Resolved();
  return rig.TakeEnds();
}

// A call while the resolver does not answer.
Ends WhileResolving(std::chrono::seconds time, const CallOptions& options = CallOptions()) {
  std::promise<void> answer;
  Rig rig("greeter:50051", [answered = answer.get_future().share()](const std::string& host, uint16_t port) {
    answered.wait();
    return NotKnown(host, port);
  });
  rig.Unary(options);
  rig.Advance(time);
  answer.set_value();
  return rig.TakeEnds();
}

Ends SlowResolver() { return WhileResolving(seconds(20)); }
Ends DeadlineWhileResolving() { return WhileResolving(seconds(1), Within(absl::Seconds(1))); }

// The loop hears nothing of the socket.
Ends NoAnswer() {
  Rig rig("127.0.0.1:9");
  rig.Unary();
  rig.Advance(seconds(20));
  return rig.TakeEnds();
}

Ends MissingSocket() {
  Rig rig("unix:missing.sock");
  rig.Unary();
  return rig.TakeEnds();
}

// A socket that is bound, and on which nobody listens.
Ends Refused() {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "refused.sock"};
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ::unlink(address.sun_path);
  ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  Rig rig("unix:refused.sock");
  rig.Unary();
  ::close(fd);
  return rig.TakeEnds();
}

Ends InBackOff() {
  Rig rig("unix:missing.sock");
  rig.Unary();
  rig.TakeEnds();
  rig.Advance(milliseconds(300));
  rig.Unary();
  return rig.TakeEnds();
}

Ends NoSettings() {
  Rig rig;
  rig.Unary();
  rig.Advance(seconds(20));
  return rig.TakeEnds();
}

Ends Http1() { return Greeted("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"); }
Ends TlsAlert() { return Greeted(std::string_view("\x15\x03\x03\x00\x02\x02\x46", 7)); }
Ends OtherProtocol() { return Greeted("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"); }
Ends ClosedAtOnce() { return Greeted(""); }

Ends DeadlineWhileConnecting() {
  Rig rig;
  rig.Unary(Within(absl::Seconds(1)));
  rig.Advance(seconds(1));
  return rig.TakeEnds();
}

Ends DeadlineInTheQueue() {
  Rig rig;
  rig.Unary();
  rig.Unary(Within(absl::Seconds(1)));
  rig.Settings("MAX_CONCURRENT_STREAMS=1");
  rig.Advance(seconds(1));
  return rig.TakeEnds();
}

Ends CancelledWhileConnecting() {
  Rig rig;
  rig.Unary();
  rig.Advance(milliseconds(250));
  rig.CancelLast();
  return rig.TakeEnds();
}

Ends ChannelClosedWhileConnecting() {
  Rig rig;
  rig.Unary();
  rig.CloseChannel();
  return rig.TakeEnds();
}

Ends ClosedChannel() {
  Rig rig;
  rig.CloseChannel();
  rig.Unary();
  return rig.TakeEnds();
}

Ends IllegalMetadata() {
  Rig rig;
  rig.Unary(CallOptions().Metadata("grpc-timeout", "1S"));
  rig.Unary(CallOptions().Metadata("tenant", "bl\xc3\xbc"));
  return rig.TakeEnds();
}

Ends HugeMetadata() {
  Rig rig;
  rig.Unary(CallOptions().Metadata("tenant", std::string(20000, 'x')));
  rig.Settings("MAX_HEADER_LIST_SIZE=8192");
  return rig.TakeEnds();
}

}  // namespace

std::vector<FailureGroup> ConnectingModes() {
  return {
      {"No connection",
       {
           {"The target cannot be parsed.", BadTarget},
           {"The name is not known.", UnknownName},
           {"The resolver does not answer.", SlowResolver},
           {"Nobody answers.", NoAnswer},
           {"The path of a Unix socket does not exist.", MissingSocket},
           {"Nobody listens.", Refused},
           {"A call is made in the pause after a failed attempt: it fails at once.", InBackOff},
           {"The server accepts the connection and says nothing.", NoSettings},
           {"The server speaks HTTP/1.1.", Http1},
           {"The server speaks TLS.", TlsAlert},
           {"The server speaks something else.", OtherProtocol},
           {"The server closes the connection at once.", ClosedAtOnce},
       }},
      {"Not sent",
       {
           {"The deadline passes while the name is resolved.", DeadlineWhileResolving},
           {"The deadline passes before there is a connection.", DeadlineWhileConnecting},
           {"The deadline passes while the server allows no more calls on its connection.", DeadlineInTheQueue},
           {"The caller cancels before there is a connection.", CancelledWhileConnecting},
           {"The channel is closed before there is a connection.", ChannelClosedWhileConnecting},
           {"A call is made on a channel that is closed.", ClosedChannel},
           {"The call's metadata may not be sent.", IllegalMetadata},
           {"The call's metadata is more than the server takes.", HugeMetadata},
       }},
  };
}

}  // namespace weir::testing
