#include "weir/transport/io/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>

namespace weir::transport {
namespace {

// Without a number there ("max") there is no limit.
size_t NumberIn(const std::string& file) {
  size_t number = 0;
  return std::ifstream(file) >> number ? number : SIZE_MAX;
}

// Of the group `path` ("/a/b") and those around it, whose `file` has the limit. In a container the path may be that of
// the host, which is not there: then what is mounted at `mount` is the container's own group.
size_t LeastOf(const std::string& mount, std::string path, const std::string& file) {
  size_t least = NumberIn(mount + "/" + file);
  while (path.size() > 1) {
    least = std::min(least, NumberIn(mount + path + "/" + file));
    const size_t last = path.rfind('/');
    path.resize(last == std::string::npos ? 0 : last);
  }
  return least;
}

}  // namespace

size_t MemoryLimit(const std::string& root) {
  size_t least = static_cast<size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  // Lines are "number:controllers:path", in cgroup v2 "0::path" (cgroups(7), /proc/pid/cgroup).
  std::ifstream groups(root + "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t controllers = line.find(':') + 1;
    const size_t path = line.find(':', controllers) + 1;
    if (controllers == 0 || path == 0) continue;
    const std::string named = line.substr(controllers, path - 1 - controllers);
    if (named.empty()) {
      least = std::min(least, LeastOf(root + "sys/fs/cgroup", line.substr(path), "memory.max"));
    } else if (named == "memory") {
      least = std::min(least, LeastOf(root + "sys/fs/cgroup/memory", line.substr(path), "memory.limit_in_bytes"));
    }
  }
  return least;
}

}  // namespace weir::transport
