#include "weir/tests/support/test_certificates.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include <cstdint>

namespace weir::testing {
namespace {

// A test cannot go on without its certificates.
template <class T>
T* Need(T* made, const char* what) {
  if (made == nullptr) {
    fprintf(stderr, "test certificate: cannot make %s\n", what);
    abort();
  }
  return made;
}

template <class T>
std::string Pem(T* object, int (*write)(BIO*, T*)) {
  BIO* const bio = Need(BIO_new(BIO_s_mem()), "a buffer");
  write(bio, object);
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(length));
  BIO_free(bio);
  return text;
}

std::string CertificatePem(X509* certificate) {
  return Pem<X509>(certificate, [](BIO* bio, X509* x) { return PEM_write_bio_X509(bio, x); });
}
std::string KeyPem(EVP_PKEY* key) {
  return Pem<EVP_PKEY>(key, [](BIO* bio, EVP_PKEY* k) {
    return PEM_write_bio_PrivateKey(bio, k, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = Need(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Everything but the signature. `issuer` null: signs itself.
X509* Unsigned(const TestCertificateRequest& request, EVP_PKEY* key, X509* issuer, bool authority) {
  X509* const certificate = Need(X509_new(), "a certificate");
  X509_set_version(certificate, X509_VERSION_3);
  uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial + 1u);
  const auto seconds = [](absl::Duration d) { return static_cast<long>(absl::ToInt64Seconds(d)); };
  X509_gmtime_adj(X509_getm_notBefore(certificate), seconds(request.begins_in));
  X509_gmtime_adj(X509_getm_notAfter(certificate), seconds(request.ends_in));
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(request.common_name.c_str()), -1, -1, 0);
  if (issuer == nullptr) issuer = certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  Extend(certificate, issuer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  Extend(certificate, issuer, NID_subject_key_identifier, "hash");
  Extend(certificate, issuer, NID_authority_key_identifier, "keyid");
  if (authority) Extend(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  if (!request.names.empty()) Extend(certificate, issuer, NID_subject_alt_name, request.names);
  if (!request.usage.empty()) Extend(certificate, issuer, NID_ext_key_usage, request.usage);
  return certificate;
}

EVP_PKEY* NewKey(bool rsa) { return Need(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"), "a key"); }

}  // namespace

TestAuthority::TestAuthority(const std::string& common_name) : key_(NewKey(false)) {
  certificate_.reset(Unsigned({.common_name = common_name, .names = ""}, key_.get(), nullptr, true));
  X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  certificate_pem_ = CertificatePem(certificate_.get());
}

TestAuthority::TestAuthority(const std::string& common_name, TestAuthority& parent) : key_(NewKey(false)) {
  certificate_.reset(Unsigned({.common_name = common_name, .names = ""}, key_.get(), parent.certificate_.get(), true));
  X509_sign(certificate_.get(), parent.key_.get(), EVP_sha256());
  certificate_pem_ = CertificatePem(certificate_.get());
  intermediate_pem_ = certificate_pem_ + parent.intermediate_pem_;
}

TestCertificate TestAuthority::Issue(const TestCertificateRequest& request) {
  const std::unique_ptr<EVP_PKEY, Free> key(NewKey(request.rsa));
  X509* const issuer = request.self_signed ? nullptr : certificate_.get();
  const std::unique_ptr<X509, Free> certificate(Unsigned(request, key.get(), issuer, false));
  X509_sign(certificate.get(), request.self_signed ? key.get() : key_.get(), EVP_sha256());
  return {CertificatePem(certificate.get()) + (request.self_signed ? "" : intermediate_pem_), KeyPem(key.get())};
}

std::string TestAuthority::Revoke(const std::vector<TestCertificate>& revoked, absl::Duration next_update_in) {
  X509_CRL* const list = Need(X509_CRL_new(), "a revocation list");
  X509_CRL_set_version(list, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate_.get()));
  const auto at = [](absl::Duration from_now) {
    return X509_gmtime_adj(nullptr, static_cast<long>(absl::ToInt64Seconds(from_now)));
  };
  ASN1_TIME* const last_update = at(-absl::Hours(1));
  ASN1_TIME* const next_update = at(next_update_in);
  X509_CRL_set1_lastUpdate(list, last_update);
  X509_CRL_set1_nextUpdate(list, next_update);
  for (const TestCertificate& each : revoked) {
    BIO* const bio = BIO_new_mem_buf(each.chain.data(), static_cast<int>(each.chain.size()));
    X509* const certificate = Need(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), "a certificate of its text");
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate));
    X509_REVOKED_set_revocationDate(entry, last_update);
    X509_CRL_add0_revoked(list, entry);
    X509_free(certificate);
    BIO_free(bio);
  }
  ASN1_TIME_free(last_update);
  ASN1_TIME_free(next_update);
  X509_CRL_sort(list);
  X509_CRL_sign(list, key_.get(), EVP_sha256());
  std::string text = Pem<X509_CRL>(list, [](BIO* bio, X509_CRL* l) { return PEM_write_bio_X509_CRL(bio, l); });
  X509_CRL_free(list);
  return text;
}

}  // namespace weir::testing
