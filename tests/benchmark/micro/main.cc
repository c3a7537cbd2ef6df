// main of the micro-benchmarks. Google benchmark's own exits with 0 whatever a benchmark has reported.
#include <unistd.h>

#include <cstddef>
#include <vector>

#include "benchmark/benchmark.h"

namespace {

class Reporter final : public benchmark::ConsoleReporter {
 public:
  Reporter() : ConsoleReporter(::isatty(STDOUT_FILENO) == 1 ? OO_ColorTabular : OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) failed = failed || run.error_occurred;
    ConsoleReporter::ReportRuns(runs);
  }
  bool failed = false;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  Reporter reporter;
  const size_t run = benchmark::RunSpecifiedBenchmarks(&reporter);
  return run == 0 || reporter.failed ? 1 : 0;
}
