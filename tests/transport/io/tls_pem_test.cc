#include "weir/transport/io/tls_pem.h"

#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/tests/support/test_certificates.h"

namespace weir::transport {
namespace {

using weir::testing::TestAuthority;
using weir::testing::TestCertificate;

const TestCertificate& Certificate() {
  static const TestCertificate* const made = new TestCertificate(TestAuthority("Test CA").Issue({}));
  return *made;
}

std::string CertificateError(std::string text) {
  const auto parsed = ParseCertificates({"chain a.pem", std::move(text)});
  return parsed.ok() ? "ok " + std::to_string(parsed->size()) : parsed.status().ToString();
}

std::string KeyError(std::string text) {
  const auto parsed = ParsePrivateKey({"key a.key", std::move(text)});
  return parsed.ok() ? "ok" : parsed.status().ToString();
}

TEST(TlsPemTest, ReadsWhatIsThereAndSkipsCommentsAndOtherBlocks) {
  const std::string& chain = Certificate().chain;
  EXPECT_EQ(CertificateError(chain), "ok 1");
  EXPECT_EQ(CertificateError("# our root\n" + chain + "\nand another\n" + chain), "ok 2");
  EXPECT_EQ(CertificateError(Certificate().key + chain), "ok 1");
  EXPECT_EQ(KeyError(chain + Certificate().key), "ok");
  std::string windows;
  for (const char c : chain) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(CertificateError(windows), "ok 1");
}

TEST(TlsPemTest, SaysWhatIsThereInstead) {
  EXPECT_EQ(CertificateError(""), "INVALID_ARGUMENT: TLS chain a.pem: expected a PEM block CERTIFICATE, got nothing");
  EXPECT_EQ(CertificateError("hello\n"),
            "INVALID_ARGUMENT: TLS chain a.pem: expected a PEM block CERTIFICATE, got text without one");
  EXPECT_EQ(
      CertificateError("\x30\x82\x01"),
      "INVALID_ARGUMENT: TLS chain a.pem: expected a PEM block CERTIFICATE, got DER; convert it with openssl x509 or "
      "openssl pkey, -inform DER");
  EXPECT_EQ(CertificateError(Certificate().key),
            "INVALID_ARGUMENT: TLS chain a.pem: expected a PEM block CERTIFICATE, got a PRIVATE KEY; are the files "
            "mixed up?");
  EXPECT_EQ(KeyError(Certificate().chain),
            "INVALID_ARGUMENT: TLS key a.key: expected a PEM block PRIVATE KEY, got a CERTIFICATE; are the files "
            "mixed up?");
}

TEST(TlsPemTest, NamesTheLineThatIsWrongAndDoesNotQuoteIt) {
  EXPECT_EQ(CertificateError("-----BEGIN CERTIFICATE-----\nMIIB\nMI?B\n-----END CERTIFICATE-----\n"),
            "INVALID_ARGUMENT: TLS chain a.pem: line 3: expected base64 of the CERTIFICATE that begins in line 1, got "
            "another character in column 3");
  EXPECT_EQ(
      CertificateError("x\n-----BEGIN CERTIFICATE-----\nMIIB\n"),
      "INVALID_ARGUMENT: TLS chain a.pem: line 3: the text ends inside the CERTIFICATE that begins in line 2; the "
      "file is cut short");
  EXPECT_EQ(
      CertificateError("-----BEGIN CERTIFICATE-----\nMIIB\n-----BEGIN CERTIFICATE-----\n"),
      "INVALID_ARGUMENT: TLS chain a.pem: line 3: expected the end of the CERTIFICATE that begins in line 1, got the "
      "beginning of another block");
  EXPECT_EQ(
      CertificateError("-----BEGIN CERTIFICATE-----\nMIIB\n-----END PRIVATE KEY-----\n"),
      "INVALID_ARGUMENT: TLS chain a.pem: line 3: expected \"-----END CERTIFICATE-----\" for line 1, got the end of "
      "a PRIVATE KEY");
}

TEST(TlsPemTest, NamesTheLinesOfABlockThatCannotBeDecoded) {
  EXPECT_THAT(
      CertificateError("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
      ::testing::StartsWith("INVALID_ARGUMENT: TLS chain a.pem: lines 1-3: expected a certificate, got something "
                            "else in base64 ("));
  EXPECT_THAT(KeyError("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"),
              ::testing::StartsWith("INVALID_ARGUMENT: TLS key a.key: lines 1-3: expected a private key, got something "
                                    "else in base64 ("));
}

TEST(TlsPemTest, RefusesEncryptedKeys) {
  const std::string want =
      "INVALID_ARGUMENT: TLS key a.key: line 1: expected a key that is not encrypted, got an encrypted one; decrypt it "
      "with "
      "openssl pkey";
  EXPECT_EQ(KeyError("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n"), want);
  EXPECT_EQ(KeyError("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIB\n"
                     "-----END RSA PRIVATE KEY-----\n"),
            want);
}

TEST(TlsPemTest, NoTruncationIsTakenForTheWhole) {
  const std::string& chain = Certificate().chain;
  for (size_t length = 0; length + 1 < chain.size(); ++length) {
    EXPECT_FALSE(ParseCertificates({"a", chain.substr(0, length)}).ok()) << length;
  }
  const std::string& key = Certificate().key;
  for (size_t length = 0; length + 1 < key.size(); ++length) {
    EXPECT_FALSE(ParsePrivateKey({"a", key.substr(0, length)}).ok()) << length;
  }
}

TEST(TlsPemTest, AFileThatCannotBeReadIsNamedWithTheReason) {
  EXPECT_EQ(ReadPem(TlsPem::File("/no/such/file"), "private key").status().ToString(),
            "INVALID_ARGUMENT: TLS private key /no/such/file: No such file or directory");
  EXPECT_EQ(ReadPem(TlsPem::File("/"), "roots").status().ToString(), "INVALID_ARGUMENT: TLS roots /: Is a directory");
}

}  // namespace
}  // namespace weir::transport
