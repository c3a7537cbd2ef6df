// TestAuthority: issues certificates at run time, good and bad ones, so that no private key is ever in the repository.
//
//   TestAuthority ca("Test CA");
//   TestCertificate server = ca.Issue({.common_name = "server", .names = "DNS:a.example,IP:127.0.0.1"});
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace weir::testing {

struct TestCertificate {  // PEM
  std::string chain;
  std::string key;
};

struct TestCertificateRequest {
  std::string common_name = "server";
  std::string names = "DNS:localhost,IP:127.0.0.1";  // subject alternative names as OpenSSL writes them; "": none
  absl::Duration begins_in = -absl::Hours(1);        // from now
  absl::Duration ends_in = absl::Hours(24);
  std::string usage;  // extended: "serverAuth"; "": any
  bool self_signed = false;
  bool rsa = false;  // else ECDSA with P-256, which is faster to make
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& common_name);
  // An intermediate one, issued by `parent`; the chains that it issues contain it.
  TestAuthority(const std::string& common_name, TestAuthority& parent);

  const std::string& certificate() const { return certificate_pem_; }
  TestCertificate Issue(const TestCertificateRequest& request);
  // A revocation list (PEM) with the first certificates of these chains.
  std::string Revoke(const std::vector<TestCertificate>& revoked, absl::Duration next_update_in = absl::Hours(24));

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };

  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
  std::string certificate_pem_;
  std::string intermediate_pem_;  // "": a root
};

}  // namespace weir::testing
