// The program around the cases: official flags, one case or all of them, a table, the exit code.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/interop/cases/test_client.h"

namespace weir::interop {

struct ClientTarget {
  std::string host;
  int port = 0;
  std::string authority;  // --server_host_override: what calls say instead of host and port; may be empty
  bool use_tls = false;
  std::string tls_ca_file;  // whom to trust; empty: the system's roots
  std::string service_config_json;
  Pairs additional_metadata;
};

using MakeTestClient = std::function<std::unique_ptr<TestClient>(const ClientTarget&)>;

// main() of an interop client. `library` names what carries the calls.
int RunInteropClient(int argc, char** argv, const std::string& library, const MakeTestClient& make);

}  // namespace weir::interop
