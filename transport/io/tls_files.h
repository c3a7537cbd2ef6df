// TlsFiles: have the files of some options changed? By time, size and inode, so that replacing a file, writing it again
// and switching a symbolic link (as Kubernetes does) are all seen.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weir::transport {

class TlsFiles {
 public:
  void Add(std::string path) {
    if (path.empty()) return;
    files_.push_back({std::move(path), {}});
    files_.back().stamp = StampOf(files_.back().path);
  }

  // Since it was last asked.
  bool HaveChanged() {
    bool changed = false;
    for (File& file : files_) {
      const Stamp stamp = StampOf(file.path);
      changed |= stamp != file.stamp;
      file.stamp = stamp;
    }
    return changed;
  }

 private:
  struct Stamp {  // zero: no such file
    uint64_t device = 0, inode = 0;
    int64_t bytes = 0, modified_ns = 0, changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct File {
    std::string path;
    Stamp stamp;
  };

  static Stamp StampOf(const std::string& path) {
    constexpr int64_t kSecond = 1'000'000'000;
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return {};
    return {.device = found.st_dev,
            .inode = found.st_ino,
            .bytes = found.st_size,
            .modified_ns = found.st_mtim.tv_sec * kSecond + found.st_mtim.tv_nsec,
            .changed_ns = found.st_ctim.tv_sec * kSecond + found.st_ctim.tv_nsec};
  }

  std::vector<File> files_;
};

}  // namespace weir::transport
