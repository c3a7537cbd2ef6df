#include "weir/transport/io/tls_pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "weir/transport/io/system_error.h"

namespace weir::transport {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr size_t kPemBytesMax = 16 * 1024 * 1024;

struct Block {
  std::string label;      // "CERTIFICATE"
  size_t first_line = 0;  // counted from 1
  size_t last_line = 0;
  std::string text;  // with BEGIN and END
};

absl::Status Problem(const PemText& pem, std::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("TLS ", pem.name, ": ", std::string(problem)));
}

absl::Status ProblemAt(const PemText& pem, size_t line, std::string_view problem) {
  return Problem(pem, absl::StrCat("line ", line, ": ", std::string(problem)));
}

// "CERTIFICATE" of "-----BEGIN CERTIFICATE-----".
std::optional<std::string> LabelOf(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix) || !line.ends_with(kDashes) || line.size() < prefix.size() + kDashes.size()) {
    return std::nullopt;
  }
  return std::string(line.substr(prefix.size(), line.size() - prefix.size() - kDashes.size()));
}

bool IsBase64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

std::string_view TrimEnd(std::string_view line) {
  const size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == line.npos ? 0 : last + 1);
}

// What lies between the blocks are comments (RFC 7468 section 5.2: "explanatory text").
absl::StatusOr<std::vector<Block>> ParseBlocks(const PemText& pem) {
  std::vector<Block> blocks;
  bool inside = false;
  size_t line_number = 0;
  for (std::string_view rest = pem.text; !rest.empty();) {
    const size_t end_of_line = rest.find('\n');
    const std::string_view line = TrimEnd(rest.substr(0, end_of_line));
    rest.remove_prefix(end_of_line == rest.npos ? rest.size() : end_of_line + 1);
    ++line_number;
    if (std::optional<std::string> label = LabelOf(line, kBegin)) {
      if (inside) {
        return ProblemAt(pem, line_number,
                         absl::StrCat("expected the end of the ", blocks.back().label, " that begins in line ",
                                      blocks.back().first_line, ", got the beginning of another block"));
      }
      blocks.push_back({.label = *std::move(label), .first_line = line_number});
      inside = true;
    } else if (!inside) {
      continue;
    }
    Block& block = blocks.back();
    absl::StrAppend(&block.text, std::string(line), "\n");
    if (line_number == block.first_line) continue;
    if (std::optional<std::string> label = LabelOf(line, kEnd)) {
      if (*label != block.label) {
        return ProblemAt(pem, line_number,
                         absl::StrCat("expected \"", std::string(kEnd), block.label, std::string(kDashes),
                                      "\" for line ", block.first_line, ", got the end of a ", *label));
      }
      block.last_line = line_number;
      inside = false;
      continue;
    }
    if (line.find(": ") != line.npos) continue;  // a header of an encrypted key (RFC 1421)
    const auto stranger = std::find_if_not(line.begin(), line.end(), IsBase64);
    if (stranger != line.end()) {
      return ProblemAt(pem, line_number,
                       absl::StrCat("expected base64 of the ", block.label, " that begins in line ", block.first_line,
                                    ", got another character in column ", stranger - line.begin() + 1));
    }
  }
  if (inside) {
    return ProblemAt(pem, line_number,
                     absl::StrCat("the text ends inside the ", blocks.back().label, " that begins in line ",
                                  blocks.back().first_line, "; the file is cut short"));
  }
  return blocks;
}

// Why there is not one block of the kind that was wanted.
absl::Status Missing(const PemText& pem, std::string_view wanted, const std::vector<Block>& blocks) {
  std::string got;
  if (pem.text.empty()) {
    got = "nothing";
  } else if (!blocks.empty()) {
    got = absl::StrCat("a ", blocks.front().label, "; are the files mixed up?");
  } else if (pem.text.front() == '\x30') {
    got = "DER; convert it with openssl x509 or openssl pkey, -inform DER";
  } else {
    got = "text without one";
  }
  return Problem(pem, absl::StrCat("expected a PEM block ", std::string(wanted), ", got ", got));
}

absl::Status Undecodable(const PemText& pem, const Block& block, std::string_view wanted) {
  const unsigned long error = ERR_peek_error();
  const char* reason = ERR_reason_error_string(error);
  absl::Status status = Problem(
      pem, absl::StrCat("lines ", block.first_line, "-", block.last_line, ": expected ", std::string(wanted),
                        ", got something else in base64 (", reason == nullptr ? "no reason given" : reason, ")"));
  ERR_clear_error();
  return status;
}

BioPtr BioOf(const Block& block) {
  return BioPtr(BIO_new_mem_buf(block.text.data(), static_cast<int>(block.text.size())));
}

int NoPassword(char*, int, int, void*) { return -1; }

// All blocks whose label ends with `label`, at least one. `what`: "a certificate".
template <class Pointer>
absl::StatusOr<std::vector<Pointer>> ParseAll(const PemText& pem, std::string_view label, std::string_view what,
                                              typename Pointer::pointer (*read)(BIO*, typename Pointer::pointer*,
                                                                                pem_password_cb*, void*)) {
  const absl::StatusOr<std::vector<Block>> blocks = ParseBlocks(pem);
  if (!blocks.ok()) return blocks.status();
  std::vector<Pointer> parsed;
  for (const Block& block : *blocks) {
    if (!std::string_view(block.label).ends_with(label)) continue;
    ERR_clear_error();
    Pointer object(read(BioOf(block).get(), nullptr, NoPassword, nullptr));
    if (object == nullptr) return Undecodable(pem, block, what);
    parsed.push_back(std::move(object));
  }
  if (parsed.empty()) return Missing(pem, label, *blocks);
  return parsed;
}

}  // namespace

absl::StatusOr<PemText> ReadPem(const TlsPem& pem, std::string_view what) {
  if (pem.path().empty()) return PemText{absl::StrCat(std::string(what), " (in memory)"), pem.text()};
  PemText result{absl::StrCat(std::string(what), " ", pem.path()), ""};
  const std::unique_ptr<FILE, OpenSslDeleter<fclose>> file(fopen(pem.path().c_str(), "re"));
  if (file == nullptr) return Problem(result, SystemErrorText(errno));
  char buffer[4096];
  while (const size_t count = fread(buffer, 1, sizeof(buffer), file.get())) {
    result.text.append(buffer, count);
    if (result.text.size() > kPemBytesMax) {
      return Problem(result, absl::StrCat("expected at most ", kPemBytesMax, " bytes, got more"));
    }
  }
  if (ferror(file.get())) return Problem(result, SystemErrorText(errno));
  return result;
}

absl::StatusOr<std::vector<CertificatePtr>> ParseCertificates(const PemText& pem) {
  return ParseAll<CertificatePtr>(pem, "CERTIFICATE", "a certificate", PEM_read_bio_X509);
}

absl::StatusOr<std::vector<RevocationListPtr>> ParseRevocationLists(const PemText& pem) {
  return ParseAll<RevocationListPtr>(pem, "X509 CRL", "a revocation list", PEM_read_bio_X509_CRL);
}

absl::StatusOr<KeyPtr> ParsePrivateKey(const PemText& pem) {
  const absl::StatusOr<std::vector<Block>> blocks = ParseBlocks(pem);
  if (!blocks.ok()) return blocks.status();
  for (const Block& block : *blocks) {
    if (!absl::EndsWith(block.label, "PRIVATE KEY")) continue;
    if (block.label == "ENCRYPTED PRIVATE KEY" || absl::StrContains(block.text, "ENCRYPTED\n")) {
      return ProblemAt(pem, block.first_line,
                       "expected a key that is not encrypted, got an encrypted one; decrypt it with openssl pkey");
    }
    ERR_clear_error();
    KeyPtr key(PEM_read_bio_PrivateKey(BioOf(block).get(), nullptr, NoPassword, nullptr));
    if (key == nullptr) return Undecodable(pem, block, "a private key");
    return key;
  }
  return Missing(pem, "PRIVATE KEY", *blocks);
}

}  // namespace weir::transport
