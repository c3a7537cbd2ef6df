// Calls whose stream ends before the server has said a status.
#include <chrono>
#include <string>

#include "weir/tests/rpc/failures/modes.h"
#include "weir/tests/rpc/failures/rig.h"
#include "weir/tests/support/call_script.h"

namespace weir::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Ends = std::vector<absl::Status>;

enum class Answered { kNothing, kMessage };

// A call under way, which goes nowhere else; the server has answered nothing yet, or the head and a message.
void Begin(Rig& rig, Answered answered, const CallOptions& options = CallOptions().NoRetry()) {
  rig.ServerStream(options);
  rig.Settings();
  rig.Advance(milliseconds(2));
  if (answered == Answered::kMessage) rig.Peer(ResponseHead(1) + "\n" + Data(1, Message("one")));
}

Ends After(Answered answered, const std::string& frames) {
  Rig rig;
  Begin(rig, answered);
  rig.Peer(frames);
  return rig.TakeEnds();
}

Ends ClosedAfter(const std::string& frames) {
  Rig rig;
  Begin(rig, Answered::kNothing);
  if (!frames.empty()) rig.Peer(frames);
  rig.PeerCloses();
  return rig.TakeEnds();
}

// ---- RST_STREAM, by code

template <int kCode>
Ends Reset() {
  static constexpr const char* kNames[] = {"NO_ERROR",
                                           "PROTOCOL_ERROR",
                                           "INTERNAL_ERROR",
                                           "FLOW_CONTROL_ERROR",
                                           "SETTINGS_TIMEOUT",
                                           "STREAM_CLOSED",
                                           "FRAME_SIZE_ERROR",
                                           "REFUSED_STREAM",
                                           "CANCEL",
                                           "COMPRESSION_ERROR",
                                           "CONNECT_ERROR",
                                           "ENHANCE_YOUR_CALM",
                                           "INADEQUATE_SECURITY",
                                           "HTTP_1_1_REQUIRED",
                                           "ERROR_0xe"};
  return After(Answered::kNothing, std::string("RST_STREAM 1 ") + kNames[kCode]);
}

Ends ResetInTheMiddle() { return After(Answered::kMessage, "RST_STREAM 1 CANCEL"); }

// ---- GOAWAY

Ends AboveGoAway() { return After(Answered::kNothing, "GOAWAY last=0 NO_ERROR \"max_age\""); }

Ends GoAwayAndClose() { return ClosedAfter("GOAWAY last=1 ENHANCE_YOUR_CALM \"too_many_pings\""); }

// ---- the connection

Ends ClosedBeforeTheHead() { return ClosedAfter(""); }
Ends ClosedBeforeTheTrailers() { return ClosedAfter(ResponseHead(1) + "\n" + Data(1, Message("one"))); }

Ends LostInTheMiddle() {
  Rig rig;
  Begin(rig, Answered::kMessage);
  rig.Lose();
  return rig.TakeEnds();
}

Ends PeerBreaksHttp2() {
  Rig rig;
  Begin(rig, Answered::kNothing);
  rig.Peer("WINDOW_UPDATE 0 0");
  rig.PeerCloses();
  return rig.TakeEnds();
}

Ends PeerBreaksHttp2OnTheStream() { return After(Answered::kNothing, "HEADERS 1 content-type=application/grpc"); }

Ends HeaderBlockTooLong() {
  std::string fields;
  for (int i = 0; i < 2; ++i) fields += " f" + std::to_string(i) + "=" + std::string(8130, 'x');
  return After(Answered::kNothing, ResponseHead(1, fields.substr(1)));
}

// ---- this side

Ends DeadlineBeforeTheHead() {
  Rig rig;
  Begin(rig, Answered::kNothing, CallOptions().Timeout(absl::Seconds(10)));
  rig.Advance(seconds(10));
  return rig.TakeEnds();
}

Ends DeadlineInTheMiddle() {
  Rig rig;
  Begin(rig, Answered::kMessage, CallOptions().Timeout(absl::Seconds(10)));
  rig.Advance(seconds(10));
  return rig.TakeEnds();
}

Ends CancelledByTheCaller() {
  Rig rig;
  Begin(rig, Answered::kMessage);
  rig.Advance(milliseconds(250));
  rig.CancelLast();
  return rig.TakeEnds();
}

Ends ChannelClosed() {
  Rig rig;
  Begin(rig, Answered::kMessage);
  rig.CloseChannel();
  return rig.TakeEnds();
}

}  // namespace

std::vector<FailureGroup> StreamModes() {
  return {
      {"Reset by the server",
       {
           {"RST_STREAM NO_ERROR, and no status before it.", Reset<0>},
           {"RST_STREAM PROTOCOL_ERROR.", Reset<1>},
           {"RST_STREAM INTERNAL_ERROR.", Reset<2>},
           {"RST_STREAM FLOW_CONTROL_ERROR.", Reset<3>},
           {"RST_STREAM SETTINGS_TIMEOUT.", Reset<4>},
           {"RST_STREAM STREAM_CLOSED.", Reset<5>},
           {"RST_STREAM FRAME_SIZE_ERROR.", Reset<6>},
           {"RST_STREAM REFUSED_STREAM: the server promises that it has done nothing.", Reset<7>},
           {"RST_STREAM CANCEL.", Reset<8>},
           {"RST_STREAM COMPRESSION_ERROR.", Reset<9>},
           {"RST_STREAM CONNECT_ERROR.", Reset<10>},
           {"RST_STREAM ENHANCE_YOUR_CALM.", Reset<11>},
           {"RST_STREAM INADEQUATE_SECURITY.", Reset<12>},
           {"RST_STREAM HTTP_1_1_REQUIRED.", Reset<13>},
           {"RST_STREAM with a code that no specification has.", Reset<14>},
           {"RST_STREAM CANCEL in the middle of the response.", ResetInTheMiddle},
       }},
      {"The connection ends",
       {
           {"GOAWAY says that the server has not looked at the call.", AboveGoAway},
           {"GOAWAY lets the call go on, and then the connection is closed.", GoAwayAndClose},
           {"The server closes the connection before it answers.", ClosedBeforeTheHead},
           {"The server closes the connection before the trailers.", ClosedBeforeTheTrailers},
           {"The network resets the connection in the middle of the response.", LostInTheMiddle},
           {"The server breaks a rule of HTTP/2 on the connection.", PeerBreaksHttp2},
           {"The server breaks a rule of HTTP/2 on the call's stream.", PeerBreaksHttp2OnTheStream},
           {"The server's header block is over the limit.", HeaderBlockTooLong},
       }},
      {"Ended on this side",
       {
           {"The deadline passes before the server answers.", DeadlineBeforeTheHead},
           {"The deadline passes in the middle of the response.", DeadlineInTheMiddle},
           {"The caller cancels.", CancelledByTheCaller},
           {"The channel is closed under the call.", ChannelClosed},
       }},
  };
}

}  // namespace weir::testing
