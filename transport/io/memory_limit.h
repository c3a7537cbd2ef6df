// MemoryLimit: how much memory this process may have.
#pragma once

#include <cstddef>
#include <string>

namespace weir::transport {

// In bytes: the machine's memory, or what a control group of this process allows (of a container or a systemd unit, of
// cgroup v2 or v1, itself or one around it) if that is less. Reads files of /proc and /sys below `root`; what cannot be
// read limits nothing. Limits that are set later are not noticed.
size_t MemoryLimit(const std::string& root = "/");

}  // namespace weir::transport
