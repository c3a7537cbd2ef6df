// TestCaPath: where a server that was given no certificate leaves the CA that it made, and where clients with
// --use_test_ca=true look for it: so that the two find each other on one machine, and no key is in the repository.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace weir::interop {

inline std::string TestCaPath() {
  const char* const folder = std::getenv("TMPDIR");
  return std::string(folder != nullptr && *folder != '\0' ? folder : "/tmp") + "/weir_interop_test_ca." +
         std::to_string(geteuid()) + ".pem";
}

}  // namespace weir::interop
