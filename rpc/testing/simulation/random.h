// SimulatedRandom: numbers that follow from a seed alone, on every machine and with every standard library. The engines
// of <random> are portable, its distributions are not.
#pragma once

#include <cstdint>

namespace weir::testing {

// splitmix64 (Steele, Lea, Flood, 2014): one word of state, and any seed is a good one.
class SimulatedRandom {
 public:
  explicit SimulatedRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t Below(uint64_t end) { return end == 0 ? 0 : Next() % end; }
  uint64_t Between(uint64_t first, uint64_t last) { return first + Below(last - first + 1); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  // Independent of what is drawn here afterwards: one more draw in one place does not change all others.
  SimulatedRandom Fork() { return SimulatedRandom(Next()); }

 private:
  uint64_t state_;
};

}  // namespace weir::testing
