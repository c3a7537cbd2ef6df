#include "weir/rpc/client/resolving/file_resolver.h"

#include <errno.h>
#include <stdio.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/target.h"
#include "weir/rpc/core/deadline.h"
#include "weir/transport/io/system_error.h"

namespace weir {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view NextWord(std::string_view* line) {
  line->remove_prefix(std::min(line->find_first_not_of(kBlanks), line->size()));
  const std::string_view word = line->substr(0, line->find_first_of(kBlanks));
  line->remove_prefix(word.size());
  return word;
}

// "weight=3"
bool ParseWeight(std::string_view word, uint32_t* weight) {
  constexpr std::string_view kKey = "weight=";
  if (!word.starts_with(kKey)) return false;
  word.remove_prefix(kKey.size());
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), *weight);
  return error == std::errc() && end == word.data() + word.size() && *weight > 0;
}

absl::StatusOr<ServerAddress> ParseLine(std::string_view line) {
  ServerAddress result;
  absl::StatusOr<transport::SocketAddress> address = transport::SocketAddress::Parse(NextWord(&line));
  if (!address.ok()) return address.status();
  result.address = *address;
  const std::string_view option = NextWord(&line);
  if (!option.empty() && (!ParseWeight(option, &result.weight) || !NextWord(&line).empty())) {
    return absl::InvalidArgumentError(absl::StrCat("after the address, expected weight=<number from 1>, got \"",
                                                   std::string(option), std::string(line), "\""));
  }
  return result;
}

// nullopt: errno says why.
std::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

AddressFile ParseAddressFile(std::string_view text) {
  AddressFile file;
  for (size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(kBlanks) == std::string_view::npos) continue;
    absl::StatusOr<ServerAddress> address = ParseLine(line);
    if (address.ok()) {
      file.addresses.push_back(*std::move(address));
    } else {
      file.mistakes.push_back(absl::StrCat("line ", number, ": ", address.status().message()));
    }
  }
  return file;
}

FileResolver::FileResolver(const NameResolverArgs& args) : args_(args), poll_(args.loop, [this] { Poll(); }) {}

// After an error the channel wants to hear again how it is.
void FileResolver::RequestReresolution() {
  report_ = failed_;
  poll_.Set(args_.loop.Now());
}

void FileResolver::Poll() {
  poll_.Set(TimeAfter(args_.loop.Now(), args_.options.file_poll));
  std::optional<std::string> text = ReadFile(args_.target.path);
  if (!report_ && text == last_) return;
  absl::StatusOr<Resolution> resolution =
      text.has_value() ? Read(*text)
                       : absl::UnavailableError(absl::StrCat("read the addresses in ", args_.target.path, ": ",
                                                             transport::SystemErrorText(errno)));
  last_ = std::move(text);
  report_ = false;
  failed_ = !resolution.ok();
  args_.listener.OnResolution(std::move(resolution));
}

absl::StatusOr<Resolution> FileResolver::Read(const std::string& text) const {
  AddressFile file = ParseAddressFile(text);
  if (file.addresses.empty()) {
    const std::string why = file.mistakes.empty() ? "it has no lines but comments" : absl::StrJoin(file.mistakes, "; ");
    return absl::UnavailableError(absl::StrCat("read the addresses in ", args_.target.path, ": ", why));
  }
  for (const std::string& mistake : file.mistakes) {
    ::fprintf(stderr, "weir: %s: %s; the line is left out\n", args_.target.path.c_str(), mistake.c_str());
  }
  Resolution resolution;
  resolution.addresses = std::move(file.addresses);
  return resolution;
}

}  // namespace weir
