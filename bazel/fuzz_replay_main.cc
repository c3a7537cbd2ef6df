// main() of a fuzz target outside fuzzing: runs every file and every file of every folder that it
// is given through LLVMFuzzerTestOneInput, so that `bazel test` replays the corpus with any compiler.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void Replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string input{std::istreambuf_iterator<char>(file), {}};
  std::printf("replay %s (%zu bytes)\n", path.c_str(), input.size());
  std::fflush(stdout);  // the last line names the culprit when the target aborts
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::set<std::filesystem::path> inputs;  // sorted: the same order on every machine
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      inputs.insert(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) inputs.insert(entry.path());
    }
  }
  for (const auto& input : inputs) Replay(input);
  LLVMFuzzerTestOneInput(nullptr, 0);
}
