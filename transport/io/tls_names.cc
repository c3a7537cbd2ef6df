#include "weir/transport/io/tls_names.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <time.h>

#include <memory>
#include <string_view>

#include "weir/transport/io/tls_handles.h"

namespace weir::transport {
namespace {

constexpr int kNamesShown = 8;

std::string NameText(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  // As RFC 2253 but for UTF-8, which stays readable.
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long length = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<size_t>(length));
}

std::string Octets(const ASN1_STRING* text) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
}

std::string AddressText(const ASN1_STRING* octets) {
  char text[INET6_ADDRSTRLEN] = "";
  const int length = ASN1_STRING_length(octets);
  if (length == 4) inet_ntop(AF_INET, ASN1_STRING_get0_data(octets), text, sizeof(text));
  if (length == 16) inet_ntop(AF_INET6, ASN1_STRING_get0_data(octets), text, sizeof(text));
  return text;
}

}  // namespace

PeerIdentity IdentityOf(const X509& certificate) {
  PeerIdentity identity;
  identity.subject = NameText(X509_get_subject_name(&certificate));
  const std::unique_ptr<GENERAL_NAMES, OpenSslDeleter<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    switch (name->type) {
      case GEN_DNS:
        identity.dns_names.push_back(Octets(name->d.dNSName));
        break;
      case GEN_URI:
        identity.uris.push_back(Octets(name->d.uniformResourceIdentifier));
        break;
      case GEN_EMAIL:
        identity.emails.push_back(Octets(name->d.rfc822Name));
        break;
      case GEN_IPADD:
        if (std::string address = AddressText(name->d.iPAddress); !address.empty()) {
          identity.ip_addresses.push_back(std::move(address));
        }
        break;
      default:
        break;
    }
  }
  return identity;
}

std::string SubjectOf(const X509& certificate) {
  const std::string text = NameText(X509_get_subject_name(&certificate));
  return text.empty() ? "(no subject)" : text;
}

std::string IssuerOf(const X509& certificate) {
  const std::string text = NameText(X509_get_issuer_name(&certificate));
  return text.empty() ? "(no issuer)" : text;
}

std::string HostNamesOf(const X509& certificate) {
  const PeerIdentity identity = IdentityOf(certificate);
  std::string text;
  int count = 0;
  const auto add = [&](std::string_view kind, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (++count > kNamesShown) continue;
      if (!text.empty()) text += ", ";
      text += std::string(kind) + name;
    }
  };
  add("DNS:", identity.dns_names);
  add("IP:", identity.ip_addresses);
  if (count > kNamesShown) text += " and " + std::to_string(count - kNamesShown) + " more";
  return text.empty() ? "no DNS name or address (a common name does not count, RFC 9525)" : text;
}

std::string TimeText(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "(no valid time)";
  char text[64];
  strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

}  // namespace weir::transport
