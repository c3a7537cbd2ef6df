// Calls that fail by what the server answers, or by what is wrong with its answer.
#include <string>

#include "weir/tests/rpc/failures/modes.h"
#include "weir/tests/rpc/failures/rig.h"
#include "weir/tests/support/call_script.h"

namespace weir::testing {
namespace {

using Ends = std::vector<absl::Status>;

// A unary call that is answered by these frames, three milliseconds after it was made.
Ends Answer(const std::string& frames, const ChannelOptions& options = {}) {
  Rig rig(options);
  rig.Unary();
  rig.Settings();
  rig.Advance(std::chrono::milliseconds(2));
  rig.Peer(frames);
  return rig.TakeEnds();
}

Ends AnswerMessages(const std::string& bytes, const ChannelOptions& options = {}) {
  return Answer(ResponseHead(1) + "\n" + Data(1, bytes), options);
}

std::string TrailersOnly(const std::string& fields) {
  return Trailers(1, ":status=200 content-type=application/grpc " + fields);
}

// ---- the server's own status

Ends NotFound() {
  return Answer(ResponseHead(1) + "\n" + Trailers(1, "grpc-status=5 grpc-message=no%20such%20person"));
}
Ends TooBusy() { return Answer(TrailersOnly("grpc-status=14 grpc-message=too%20busy")); }
Ends NoText() { return Answer(TrailersOnly("grpc-status=7")); }
Ends WithDetails() {
  // A google.rpc.Status with code 3 and a detail of type "t".
  return Answer(TrailersOnly("grpc-status=3 grpc-message=bad%20name grpc-status-details-bin=CAMaAwoBdA"));
}
Ends Unimplemented() { return Answer(TrailersOnly("grpc-status=12 grpc-message=unknown%20method")); }

// ---- no gRPC at all

Ends Http503() { return Answer("HEADERS 1 :status=503 content-type=text/html\n" + Data(1, "<html>", "END_STREAM")); }
Ends Http401() { return Answer("HEADERS 1 END_STREAM :status=401"); }
Ends Http404() { return Answer("HEADERS 1 :status=404 content-type=text/plain\n" + Data(1, "not here", "END_STREAM")); }
Ends Html() { return Answer("HEADERS 1 :status=200 content-type=text/html\n" + Data(1, "<html>", "END_STREAM")); }

// ---- no status

Ends NoStatus() { return Answer(ResponseHead(1) + "\n" + Data(1, Message("hi")) + "\n" + Trailers(1, "cost=7")); }
Ends NoTrailers() { return Answer(ResponseHead(1) + "\n" + Data(1, Message("hi"), "END_STREAM")); }
Ends StatusIsNoNumber() { return Answer(TrailersOnly("grpc-status=NOT_FOUND grpc-message=no%20such%20person")); }
Ends StatusIsNoCode() { return Answer(TrailersOnly("grpc-status=99")); }

// ---- messages

Ends TooLarge() {
  ChannelOptions options;
  options.max_receive_message_bytes = 1024;
  return AnswerMessages(Envelope(0, 5000), options);
}
Ends Truncated() { return Answer(ResponseHead(1) + "\n" + Data(1, Envelope(0, 9, "half")) + "\n" + Trailers(1)); }
Ends NoMessage() { return Answer(ResponseHead(1) + "\n" + Trailers(1)); }
Ends TwoMessages() { return AnswerMessages(Message("a") + Message("b")); }
Ends NotProtobuf() { return AnswerMessages(Envelope(0, 3, "\x0a\x7fz")); }
Ends CompressedFlag() { return AnswerMessages(Envelope(1, 2, "xy")); }
Ends BadFlag() { return AnswerMessages(Envelope(9, 2, "xy")); }

}  // namespace

std::vector<FailureGroup> ResponseModes() {
  return {
      {"The server's own status: its text comes to the letter",
       {
           {"A status behind the response's head.", NotFound},
           {"A status in place of a response.", TooBusy},
           {"A status without a text.", NoText},
           {"A status with details.", WithDetails},
           {"A method that the server does not have.", Unimplemented},
       }},
      {"The answer is not gRPC",
       {
           {"A proxy answers for a server that is gone.", Http503},
           {"A proxy asks for a login.", Http401},
           {"A web server has no such page.", Http404},
           {"A web server has such a page.", Html},
       }},
      {"The status is missing or broken",
       {
           {"Trailers without grpc-status.", NoStatus},
           {"No trailers.", NoTrailers},
           {"A grpc-status that is not a number.", StatusIsNoNumber},
           {"A grpc-status that no code has.", StatusIsNoCode},
       }},
      {"The messages are wrong",
       {
           {"A message is over the channel's limit of 1024 bytes.", TooLarge},
           {"The status OK comes in the middle of a message.", Truncated},
           {"A unary call is answered without a message.", NoMessage},
           {"A unary call is answered with two messages.", TwoMessages},
           {"A message is not protobuf.", NotProtobuf},
           {"A message is flagged as compressed, and the call has no grpc-encoding.", CompressedFlag},
           {"A message has a flag that there is not.", BadFlag},
       }},
  };
}

}  // namespace weir::testing
