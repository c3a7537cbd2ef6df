// The cases of tests/conformance as inputs of connection_fuzz: where a rule is, a fuzzer shall begin.
//
// usage: conformance_seeds FOLDER CASES.txt...   writes a file for each case, from which bazel/corpus.py chooses.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "weir/tests/conformance/case.h"
#include "weir/tests/fuzz/h2/moves.h"
#include "weir/transport/h2/frame_text.h"

namespace weir::testing {
namespace {

using transport::Call;
using transport::Role;
using transport::Shape;

// A fuzzer makes inputs as long as the longest that it is given.
constexpr size_t kSeedBytesMax = 4096;
constexpr size_t kNameBytesMax = 80;

class Seed {
 public:
  explicit Seed(Role role) {
    int shape = static_cast<int>(Shape::kThreeStreams) | static_cast<int>(Shape::kHoldsNothing);
    if (role == Role::kClient) shape |= static_cast<int>(Shape::kClient);
    input_ += static_cast<char>(shape);
    input_ += '\0';  // the usual budgets
  }

  // False: the text is no frame text.
  bool Receive(std::string_view frames) {
    std::string bytes;
    if (!transport::EncodeFrameText(frames, &bytes).ok()) return false;
    for (size_t at = 0; at < bytes.size(); at += transport::kFirstCall - 1) {
      const std::string part = bytes.substr(at, transport::kFirstCall - 1);
      input_ += static_cast<char>(part.size());
      input_ += part;
    }
    return true;
  }
  void Do(Call call, int id = 0, int amount = 0) {
    for (const int octet : {transport::kFirstCall + static_cast<int>(call), id, amount}) {
      input_ += static_cast<char>(octet);
    }
  }
  // What we do in between: "respond 1".
  bool Act(const std::string& text) {
    std::istringstream words(text);
    std::string verb;
    int id = 0;
    words >> verb >> id;
    if (verb == "respond" || verb == "reset") {
      verb == "respond" ? Do(Call::kRespond, id, 1) : Do(Call::kReset, id);
      Do(Call::kPullAll);
      Do(Call::kRemove, id);
    } else if (verb == "head") {
      Do(Call::kRespond, id);
    } else if (verb == "data") {
      Do(Call::kSend, id, 2);
    } else if (verb == "drain") {
      Do(Call::kBeginDrain);
      Do(Call::kFinishDrain);
    } else if (verb == "ping") {
      Do(Call::kPing, 0, 1);
    } else {
      return false;
    }
    return true;
  }

  const std::string& input() const { return input_; }

 private:
  std::string input_;
};

// Empty: it cannot be said as moves.
std::string SeedOf(const ConformanceCase& rule) {
  Seed seed(rule.role);
  bool good = true;
  if (rule.handshake) {
    good = seed.Receive(rule.role == Role::kServer ? "PREFACE\nSETTINGS\nSETTINGS ACK" : "SETTINGS\nSETTINGS ACK");
    seed.Do(Call::kPullAll);
  }
  for (const ConformanceCase::Step& step : rule.steps) {
    good = good && (step.kind == ConformanceCase::Step::Kind::kPeer ? seed.Receive(step.text) : seed.Act(step.text));
  }
  seed.Do(Call::kAsk, 1);
  return good ? seed.input() : "";
}

// "RFC9113 5.1.1", "server: an even id" -> "rfc9113_5_1_1_server_an_even_id"
std::string NameOf(const ConformanceCase& rule) {
  std::string name;
  const std::string who = rule.role == Role::kServer ? " server " : " client ";
  for (const char c : rule.section + who + rule.rule) {
    const bool word = absl::ascii_isalnum(static_cast<unsigned char>(c));
    if (word) name += absl::ascii_tolower(static_cast<unsigned char>(c));
    if (!word && !name.empty() && name.back() != '_') name += '_';
  }
  return name.substr(0, kNameBytesMax);
}

int WriteSeeds(const std::string& folder, const std::vector<std::string>& files) {
  size_t written = 0, left_out = 0;
  for (const std::string& file : files) {
    std::ifstream in(file);
    std::vector<ConformanceCase> rules;
    if (const auto mistake = ParseCases(file, std::string(std::istreambuf_iterator<char>(in), {}), &rules)) {
      std::cerr << "conformance_seeds: " << *mistake << "\n";
      return 1;
    }
    for (const ConformanceCase& rule : rules) {
      const std::string seed = SeedOf(rule);
      if (seed.empty() || seed.size() > kSeedBytesMax) {
        ++left_out;
        continue;
      }
      std::ofstream(folder + "/" + NameOf(rule), std::ios::binary) << seed;
      ++written;
    }
  }
  std::cout << "conformance_seeds: " << written << " written, " << left_out << " left out\n";
  return written > 0 ? 0 : 1;
}

}  // namespace
}  // namespace weir::testing

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: conformance_seeds FOLDER CASES.txt...\n";
    return 2;
  }
  return weir::testing::WriteSeeds(argv[1], std::vector<std::string>(argv + 2, argv + argc));
}
