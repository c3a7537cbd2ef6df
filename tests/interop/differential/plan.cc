#include "tests/interop/differential/plan.h"

#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace weir::differential {
namespace {

// Small enough to lie in the windows while nobody reads: a client that writes all its requests first must not wait for
// a handler that waits for its replies to be taken.
constexpr std::array kReplySizes = {0, 1, 16, 1000, 5000};
constexpr std::array kRequestSizes = {0, 1, 5, 100, 16384, 70000, 300000};

constexpr int kLargestRequestBytes = 4 * 1024 * 1024;  // what servers take; a body of this size is a larger message

const std::vector<std::string>& StatusTexts() {
  static const std::vector<std::string> kTexts = {
      "",
      "plain",
      "100% sure, %41 is no A, and % neither %zz",
      "Gr\u00fc\u00dfe aus \u6771\u4eac \U0001F608 \u05e9\u05dc\u05d5\u05dd",
      "control \x01\x1f\x7f and \ttab\r\nline",
      "inner  spaces",
      "  outer spaces  ",
      "\"quoted\", 'so', and \\ back",
      std::string(2000, '.') + "\u263a",
  };
  return kTexts;
}

// Legal, if odd. std::string of 256 bytes: every one.
Pairs OddMetadata() {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte.push_back(static_cast<char>(byte));
  return {
      {"x-plain", "value"},
      {"x-many", "first"},
      {"x-many", "second, with comma"},
      {"x-many-bin", every_byte},
      {"x-many-bin", std::string("\0", 1)},
      {"x-many-bin", "a,b"},
      {"x-empty-bin", ""},
      {"x-empty", ""},
      {"x-punctuation", "a b!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~"},
      {"x-digits_and.dots-1", "1"},
      {"x-9", "9"},
      {"x-large", std::string(500, 'm')},
      {"x-spaces", "  outer  "},
      {"x-percent", "%41%zz%"},
      {"x-equals-bin", "\xfb\xff\xfe"},
      {"x", "short key"},
  };
}

class Generator {
 public:
  Generator(uint32_t seed, int number) {
    std::seed_seq mixed{seed, static_cast<uint32_t>(number)};
    random_.seed(mixed);
  }

  Plan Make() {
    Plan plan;
    plan.kind = static_cast<Kind>(Below(4));
    const bool requests_stream = plan.kind == Kind::kUpload || plan.kind == Kind::kBoth;
    const bool replies_stream = plan.kind == Kind::kDownload || plan.kind == Kind::kBoth;

    for (int left = requests_stream ? Below(5) : 1; left > 0; --left) plan.request_sizes.push_back(Pick(kRequestSizes));
    plan.metadata = SomeMetadata();
    FillScript(plan.script, replies_stream);
    if (requests_stream && Chance(4)) plan.script.set_reads(Below(3));
    plan.gzip = Chance(3);
    plan.script.set_gzip(Chance(3));
    // A handler that reads up to the end of the requests would wait for ever.
    const int reads = plan.script.reads();
    const bool sent = reads >= 0 && reads <= static_cast<int>(plan.request_sizes.size());
    plan.half_close_late = plan.kind == Kind::kBoth && sent && Chance(2);
    Bend(plan, replies_stream);
    return plan;
  }

 private:
  // std::uniform_int_distribution is not the same in every library.
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  bool Chance(int one_in) { return Below(one_in) == 0; }
  template <class List>
  typename List::value_type Pick(const List& list) {
    return list[static_cast<size_t>(Below(static_cast<int>(list.size())))];
  }

  Pairs SomeMetadata() {
    Pairs pairs;
    for (int left = Below(5); left > 0; --left) pairs.push_back(Pick(OddMetadata()));
    return pairs;
  }

  void FillPairs(google::protobuf::RepeatedPtrField<Pair>* to) {
    for (const auto& [key, value] : SomeMetadata()) {
      Pair* pair = to->Add();
      pair->set_key(key);
      pair->set_value(value);
    }
  }

  void FillScript(Script& script, bool replies_stream) {
    FillPairs(script.mutable_initial());
    FillPairs(script.mutable_trailing());
    script.set_reads(-1);
    for (int left = replies_stream ? Below(4) : 1; left > 0; --left) script.add_reply_sizes(Pick(kReplySizes));
    if (Chance(2)) return;
    script.set_code(Chance(16) ? 17 + Below(15) : 1 + Below(16));  // what grpc::StatusCode can hold
    script.set_message(Pick(StatusTexts()));
    if (!replies_stream) script.clear_reply_sizes();
  }

  // Some calls do not end by their handler.
  void Bend(Plan& plan, bool replies_stream) {
    const bool one_request = plan.kind == Kind::kUnary || plan.kind == Kind::kDownload;
    if (one_request && Chance(40)) {
      plan.too_large = true;
      plan.request_sizes[0] = kLargestRequestBytes + Below(2000);
    } else if (Chance(12)) {
      plan.timeout = Chance(3) ? absl::ZeroDuration() : absl::Milliseconds(5 + Below(30));
      plan.script.set_hold(true);
    } else if (replies_stream && Chance(8)) {
      plan.cancel_after = Below(plan.script.reply_sizes_size() + 1);
      plan.script.set_reads(-1);  // or the client would wait for ever to write what the handler never takes
      plan.half_close_late = false;
      plan.script.set_hold(true);
    }
  }

  std::mt19937 random_;
};

void AppendPairs(std::string* out, std::string_view what, const google::protobuf::RepeatedPtrField<Pair>& pairs) {
  for (const Pair& pair : pairs) {
    absl::StrAppend(out, " ", absl::string_view(what.data(), what.size()), "{", pair.key(), ": ",
                    absl::CHexEscape(pair.value()).substr(0, 60), "}");
  }
}

}  // namespace

std::string Content(int bytes, size_t place) {
  std::string content(static_cast<size_t>(bytes), '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 + place * 7 + content.size());
  return content;
}

std::string Plan::ToString() const {
  constexpr std::array kNames = {"unary", "upload", "download", "both"};
  std::string text = absl::StrCat(kNames[static_cast<size_t>(kind)], " requests=[", absl::StrJoin(request_sizes, " "),
                                  "] timeout=", absl::FormatDuration(timeout));
  if (gzip) text += " gzip";
  if (half_close_late) text += " half_close_late";
  if (cancel_after.has_value()) absl::StrAppend(&text, " cancel_after=", *cancel_after);
  for (const auto& [key, value] : metadata) {
    absl::StrAppend(&text, " metadata{", key, ": ", absl::CHexEscape(value).substr(0, 60), "}");
  }
  absl::StrAppend(&text, "; reads=", script.reads(), " replies=[", absl::StrJoin(script.reply_sizes(), " "), "]",
                  script.hold() ? " hold" : "", script.gzip() ? " gzip" : "", " code=", script.code(), " message=\"",
                  absl::CHexEscape(script.message()).substr(0, 60), "\"");
  AppendPairs(&text, "initial", script.initial());
  AppendPairs(&text, "trailing", script.trailing());
  return text;
}

Plan MakePlan(uint32_t seed, int number) { return Generator(seed, number).Make(); }

}  // namespace weir::differential
