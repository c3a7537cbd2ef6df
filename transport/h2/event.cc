#include "weir/transport/h2/event.h"

#include "weir/transport/h2/text.h"

namespace weir::transport {
namespace {

std::string_view Name(ResetBy by) {
  switch (by) {
    case ResetBy::kPeer:
      return "peer";
    case ResetBy::kLocal:
      return "local";
    case ResetBy::kGoAway:
      return "goaway";
  }
  return "?";
}

std::string Head(std::string_view word, StreamId stream_id, const HeaderList& fields, bool end_stream) {
  std::string out(word);
  out += ' ';
  out += std::to_string(stream_id);
  AppendFields(fields, &out);
  if (end_stream) out += " end";
  return out;
}

std::string Size(const BlockSize& block) {
  if (block.fields == 0) return "";
  return " bytes=" + std::to_string(block.bytes) + " fields=" + std::to_string(block.fields);
}

struct Printer {
  std::string operator()(const H2RequestReceived& e) const {
    return Head("Request", e.stream_id, e.request.fields, e.end_stream);
  }
  std::string operator()(const H2ResponseReceived& e) const {
    return Head("Response", e.stream_id, e.response.fields, e.end_stream);
  }
  std::string operator()(const H2WebSocketRequest& e) const {
    return Head("WebSocketRequest", e.stream_id, e.request.fields, false);
  }
  std::string operator()(const H2TrailersReceived& e) const { return Head("Trailers", e.stream_id, e.fields, false); }
  std::string operator()(const H2BodyReceived& e) const {
    return "Body " + std::to_string(e.stream_id) + " " + Quote(e.body.data) + (e.body.more ? " more" : " end");
  }
  std::string operator()(const H2RequestTooLarge& e) const {
    return "RequestTooLarge " + std::to_string(e.stream_id) + Size(e.head) + (e.end_stream ? " end" : "");
  }
  std::string operator()(const H2StreamReset& e) const {
    return "Reset " + std::to_string(e.stream_id) + " " + ErrorCodeName(e.error_code) + " by " +
           std::string(Name(e.by)) + Size(e.too_large);
  }
  std::string operator()(const H2GoAway& e) const {
    std::string out = "GoAway last=" + std::to_string(e.last_stream_id) + " " + ErrorCodeName(e.error_code);
    if (!e.debug_data.empty()) out += " " + Quote(e.debug_data);
    return out;
  }
  std::string operator()(const H2WindowUpdated& e) const { return "WindowUpdated " + std::to_string(e.stream_id); }
  std::string operator()(const H2SettingsReceived& e) const {
    std::string out = e.ack ? "Settings ACK" : "Settings";
    for (const auto& [identifier, value] : e.settings)
      out += " " + SettingName(identifier) + "=" + std::to_string(value);
    return out;
  }
  std::string operator()(const H2PingAcked& e) const {
    std::string out = "PingAcked ";
    AppendHex(e.opaque, 16, &out);
    return out;
  }
  std::string operator()(const H2ConnectionError& e) const {
    return "ConnectionError " + ErrorCodeName(e.error_code) + " " + Quote(e.reason);
  }
};

}  // namespace

std::string_view RequestReceived::Pseudo(std::string_view name) const {
  for (const HeaderView field : fields) {
    if (!field.name.starts_with(':')) break;
    if (field.name == name) return field.value;
  }
  return {};
}

std::string ToString(const H2Event& event) { return std::visit(Printer{}, event); }

}  // namespace weir::transport
