// EventLog: everything that happened in a simulation, in one number; and as lines, for those who want to read it.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "weir/testing/simulation/virtual_time.h"

namespace weir::testing {

class EventLog {
 public:
  EventLog(const VirtualTime& time, bool print) : time_(time), print_(print) {}

  void Add(std::string_view event) {
    const auto now = static_cast<uint64_t>(time_.Elapsed().count());
    for (int shift = 0; shift < 64; shift += 8) Mix(static_cast<unsigned char>(now >> shift));
    for (const char c : event) Mix(static_cast<unsigned char>(c));
    Mix('\n');
    last_.assign(event);
    ++count_;
    if (print_) {
      std::fprintf(stderr, "%12.6f %.*s\n", static_cast<double>(now) / 1e9, static_cast<int>(event.size()),
                   event.data());
    }
  }

  std::string_view last() const { return last_; }
  uint64_t count() const { return count_; }
  uint64_t hash() const { return hash_; }

 private:
  void Mix(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }  // FNV-1a

  const VirtualTime& time_;
  const bool print_;
  std::string last_;
  uint64_t count_ = 0;
  uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace weir::testing
