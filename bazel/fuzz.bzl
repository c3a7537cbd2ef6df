"""weir_cc_fuzz_test: replays its corpus in `bazel test`, fuzzes under --config=fuzz."""

load("@rules_cc//cc:defs.bzl", "cc_test")
load("//bazel:weir_cc.bzl", "WEIR_COPTS")

# Bazel 4.2.3 takes only strings as keys of select().
_FUZZING = str(Label("//bazel:fuzzing"))

def weir_cc_fuzz_test(name, corpus = [], copts = [], deps = [], size = "small", tags = [], **kwargs):
    """A cc_test whose sources define LLVMFuzzerTestOneInput.

    Args:
      name: the test, by convention <what>_fuzz_test.
      corpus: files that are replayed by the ordinary test and seed the fuzzer.
      copts: after the common ones.
      deps: libraries under test; main() is added.
      size: of the replay.
      tags: "fuzz" is added.
      **kwargs: for cc_test.
    """
    cc_test(
        name = name,
        size = size,
        copts = WEIR_COPTS + copts,
        data = corpus,
        args = select({
            _FUZZING: ["-max_total_time=20", "-runs=200000", "-timeout=5", "-malloc_limit_mb=256"],
            "//conditions:default": ["$(location %s)" % file for file in corpus],
        }),
        linkopts = select({
            _FUZZING: ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        deps = deps + select({
            _FUZZING: [],
            "//conditions:default": [str(Label("//bazel:fuzz_replay_main"))],
        }),
        tags = tags + ["fuzz"],
        **kwargs
    )
