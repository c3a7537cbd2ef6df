"""weir_cc_library, weir_cc_test, weir_cc_binary: the C++ rules of this workspace.

They are cc_library, cc_test and cc_binary plus what all our code has in common:

  include path  //transport/h2:connection is included as "weir/transport/h2/connection.h". The
                folders rpc/ and transport/ would otherwise collide with users' and the system's
                own (/usr/include/rpc). List every header in hdrs: headers in srcs do not get the
                "weir/" path.
  C++20         as a copt, so that weir compiles in a workspace whose .bazelrc does not say so.
  warnings      clean with g++-12 and clang-14. They are errors only in this workspace (.bazelrc),
                so a newer compiler of a user never breaks on our code.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

WEIR_COPTS = [
    "-std=c++20",
    "-Wall",
    "-Wextra",
    "-Wextra-semi",
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    "-Wshadow",
    "-Wvla",
    # Options are classes with many fields and handlers ignore arguments on purpose.
    "-Wno-missing-field-initializers",
    "-Wno-unused-parameter",
    # False alarms of g++-12 at -O2: GCC bugs 105651 (std::string) and 105562 (coroutines, variant).
    "-Wno-maybe-uninitialized",
    "-Wno-restrict",
    # clang does not know all of the above.
    "-Wno-unknown-warning-option",
]

# Optimized builds: one register more in every function.
_OPTIMIZED = select({
    str(Label("//bazel:optimized")): ["-fomit-frame-pointer"],
    "//conditions:default": [],
})

def weir_cc_library(name, copts = [], include_prefix = None, **kwargs):
    """cc_library whose headers are included as "weir/<folder>/<header>", or "<include_prefix>/<header>"."""
    cc_library(
        name = name,
        copts = WEIR_COPTS + _OPTIMIZED + copts,
        include_prefix = include_prefix or "/".join([part for part in ["weir", native.package_name()] if part]),
        **kwargs
    )

def weir_cc_test(name, copts = [], deps = [], size = "small", main = True, **kwargs):
    """cc_test with GoogleTest.

    Args:
      name: the test.
      copts: after the common ones.
      deps: gtest and gmock are added.
      size: "small" is 60 s and one core; most tests need milliseconds.
      main: False when the test brings its own main().
      **kwargs: for cc_test.
    """
    googletest = "@com_google_googletest//:gtest_main" if main else "@com_google_googletest//:gtest"
    cc_test(
        name = name,
        size = size,
        copts = WEIR_COPTS + _OPTIMIZED + copts,
        deps = [d for d in deps if not d.startswith("@com_google_googletest//")] + [googletest],
        **kwargs
    )

def weir_cc_binary(name, copts = [], **kwargs):
    """cc_binary with our warnings and language version."""
    cc_binary(name = name, copts = WEIR_COPTS + _OPTIMIZED + copts, **kwargs)
