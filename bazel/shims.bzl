"""Repositories that Bazel 4.2.3 or weir want to exist, written on the spot.

They are repository rules and not folders, because a consumer's WORKSPACE does not know where
weir lies on the disk and so could not name a folder inside it.
"""

# Debian's bazel-rules-cc (0.0.4) uses builtins that Bazel 4.2.3 does not have.
_RULES_CC = [
    "cc_binary",
    "cc_import",
    "cc_library",
    "cc_proto_library",
    "cc_test",
    "cc_toolchain",
    "cc_toolchain_suite",
    "cc_libc_top_alias",
    "fdo_prefetch_hints",
    "fdo_profile",
    "objc_import",
    "objc_library",
]

def _rules_cc_shim_impl(rctx):
    rctx.file("BUILD", "", executable = False)
    rctx.file("cc/BUILD", "", executable = False)
    rctx.file(
        "cc/defs.bzl",
        "".join(["%s = native.%s\n" % (rule, rule) for rule in _RULES_CC]),
        executable = False,
    )

rules_cc_shim = repository_rule(implementation = _rules_cc_shim_impl, local = True)

# Enough for `bazel test`. `bazel coverage` would need a Java tool; see --config=cov in .bazelrc.
def _remote_coverage_tools_shim_impl(rctx):
    rctx.file(
        "BUILD",
        'filegroup(name = "coverage_report_generator", srcs = [], visibility = ["//visibility:public"])\n',
        executable = False,
    )

remote_coverage_tools_shim = repository_rule(implementation = _remote_coverage_tools_shim_impl, local = True)

_GOOGLE_RPC_BUILD = """
load("@rules_cc//cc:defs.bzl", "cc_proto_library")
load("@rules_proto//proto:defs.bzl", "proto_library")

package(default_visibility = ["//visibility:public"])

proto_library(
    name = "error_details_proto",
    srcs = ["error_details.proto"],
    deps = ["@com_google_protobuf//:duration_proto"],
)

cc_proto_library(
    name = "error_details_cc_proto",
    deps = [":error_details_proto"],
)

proto_library(
    name = "status_proto",
    srcs = ["status.proto"],
    deps = ["@com_google_protobuf//:any_proto"],
)

cc_proto_library(
    name = "status_cc_proto",
    deps = [":status_proto"],
)
"""

# The few messages of googleapis that gRPC itself needs, under upstream's labels.
def _googleapis_shim_impl(rctx):
    for name in ["error_details", "status"]:
        source = Label("//proto/google/rpc:%s.proto" % name)
        rctx.symlink(source, "google/rpc/%s.proto" % name)
    rctx.file("BUILD", "", executable = False)
    rctx.file("google/rpc/BUILD", _GOOGLE_RPC_BUILD, executable = False)

googleapis_shim = repository_rule(implementation = _googleapis_shim_impl, local = True)
