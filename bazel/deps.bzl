"""weir_dependencies(): all repositories that weir needs, in one call from a WORKSPACE.

Nothing is downloaded. The libraries are the ones that the system has installed; the rule
repositories are the ones that Debian's bazel-* packages put on the disk, or shims that are
written here. A repository that the WORKSPACE has declared before the call wins, so a user can
replace any of them by the real upstream repository: the labels are the upstream ones.
"""

load("//bazel:shims.bzl", "googleapis_shim", "remote_coverage_tools_shim", "rules_cc_shim")
load("//bazel:system.bzl", "system_library", "system_proto_tree", "system_protobuf")

# Label inside @com_google_absl -> pkg-config modules.
_ABSL = {
    "absl/algorithm:container": ["absl_algorithm_container"],
    "absl/base:core_headers": ["absl_core_headers"],
    "absl/cleanup": ["absl_cleanup"],
    "absl/container:btree": ["absl_btree"],
    "absl/container:fixed_array": ["absl_fixed_array"],
    "absl/container:flat_hash_map": ["absl_flat_hash_map"],
    "absl/container:flat_hash_set": ["absl_flat_hash_set"],
    "absl/container:inlined_vector": ["absl_inlined_vector"],
    "absl/flags:flag": ["absl_flags"],
    "absl/flags:parse": ["absl_flags_parse"],
    "absl/flags:usage": ["absl_flags_usage"],
    "absl/functional:any_invocable": ["absl_any_invocable"],
    "absl/functional:function_ref": ["absl_function_ref"],
    "absl/hash": ["absl_hash"],
    "absl/memory": ["absl_memory"],
    "absl/numeric:bits": ["absl_bits"],
    "absl/numeric:int128": ["absl_int128"],
    "absl/random": ["absl_random_random"],
    "absl/random:bit_gen_ref": ["absl_random_bit_gen_ref"],
    "absl/random:distributions": ["absl_random_distributions"],
    "absl/status": ["absl_status"],
    "absl/status:statusor": ["absl_statusor"],
    "absl/strings": ["absl_strings"],
    "absl/strings:cord": ["absl_cord"],
    "absl/strings:str_format": ["absl_str_format"],
    "absl/time": ["absl_time"],
    "absl/types:optional": ["absl_optional"],
    "absl/types:span": ["absl_span"],
    "absl/types:variant": ["absl_variant"],
    "absl/utility": ["absl_utility"],
}

# proto_library inside @grpc_proto -> [file, imports...]. Each has a cc_proto_library beside it:
# messages_proto -> messages_cc_proto.
_GRPC_PROTO = {
    "benchmark_service_proto": ["grpc/testing/benchmark_service.proto", ":messages_proto"],
    "channelz_proto": [
        "grpc/channelz/v1/channelz.proto",
        "@com_google_protobuf//:any_proto",
        "@com_google_protobuf//:duration_proto",
        "@com_google_protobuf//:timestamp_proto",
        "@com_google_protobuf//:wrappers_proto",
    ],
    "code_proto": ["google/rpc/code.proto"],
    "control_proto": [
        "grpc/testing/control.proto",
        ":payloads_proto",
        ":stats_proto",
        "@com_google_protobuf//:timestamp_proto",
    ],
    "core_stats_proto": ["grpc/core/stats.proto"],
    "empty_proto": ["grpc/testing/empty.proto"],
    "health_proto": ["grpc/health/v1/health.proto"],
    "helloworld_proto": ["grpc/examples/helloworld.proto"],
    "messages_proto": ["grpc/testing/messages.proto"],
    "payloads_proto": ["grpc/testing/payloads.proto"],
    "reflection_proto": ["grpc/reflection/v1/reflection.proto"],
    "reflection_v1alpha_proto": ["grpc/reflection/v1alpha/reflection.proto"],
    "rls_config_proto": ["grpc/lookup/v1/rls_config.proto", "@com_google_protobuf//:duration_proto"],
    "service_config_proto": [
        "grpc/service_config/service_config.proto",
        ":code_proto",
        ":rls_config_proto",
        "@com_google_protobuf//:duration_proto",
        "@com_google_protobuf//:struct_proto",
        "@com_google_protobuf//:wrappers_proto",
    ],
    "stats_proto": ["grpc/testing/stats.proto", ":core_stats_proto"],
    "test_proto": ["grpc/testing/test.proto", ":empty_proto", ":messages_proto"],
    "worker_service_proto": ["grpc/testing/worker_service.proto", ":control_proto"],
}

def _unless_declared(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def _rule_repositories():
    """What Bazel's own rules ask for by name. Without these Bazel would try to download them."""
    _unless_declared(rules_cc_shim, "rules_cc")
    _unless_declared(remote_coverage_tools_shim, "remote_coverage_tools")
    for name, path in [
        ("rules_java", "/usr/share/bazel/rules/java"),
        ("rules_proto", "/usr/share/bazel/rules/proto"),
        ("platforms", "/usr/share/bazel/tools/platforms"),
        ("bazel_skylib", "/usr/share/bazel/tools/skylib"),
    ]:
        _unless_declared(native.local_repository, name, path = path)

def _libraries():
    """What weir itself links."""
    _unless_declared(system_protobuf, "com_google_protobuf", min_version = "3.21.0")
    _unless_declared(googleapis_shim, "com_google_googleapis")
    _unless_declared(system_library, "com_google_absl", modules = _ABSL, apt = "libabsl-dev")
    _unless_declared(system_library, "nghttp2", modules = {"nghttp2": ["libnghttp2"]}, apt = "libnghttp2-dev")
    _unless_declared(
        system_library,
        "openssl",
        modules = {"ssl": ["libssl", "libcrypto"], "crypto": ["libcrypto"]},
        apt = "libssl-dev",
    )
    _unless_declared(system_library, "zlib", modules = {"zlib": ["zlib"]}, apt = "zlib1g-dev")

    # Only of who depends on //rpc/wire:zstd.
    _unless_declared(system_library, "zstd", modules = {"zstd": ["libzstd"]}, apt = "libzstd-dev")

def _test_libraries():
    """What only tests and benchmarks use. Bazel asks for them when such a target is built, not before."""
    _unless_declared(
        system_library,
        "com_google_googletest",
        modules = {"gtest": ["gmock"], "gtest_main": ["gmock_main"]},
        apt = "libgtest-dev libgmock-dev",
    )
    _unless_declared(
        system_library,
        "com_github_google_benchmark",
        modules = {"benchmark": ["benchmark"]},
        apt = "libbenchmark-dev",
    )
    _unless_declared(
        system_library,
        "grpcpp",
        modules = {"grpc++": ["grpc++", "protobuf"], "grpc++_reflection": ["grpc++", "protobuf"]},
        # The package has no grpc++_reflection.pc.
        extra_linkopts = {"grpc++_reflection": ["-Wl,--no-as-needed", "-lgrpc++_reflection", "-Wl,--as-needed"]},
        apt = "libgrpc++-dev",
    )
    _unless_declared(
        system_proto_tree,
        "grpc_proto",
        root = "/usr/share/grpc-proto",
        protos = _GRPC_PROTO,
        apt = "grpc-proto",
    )

def weir_dependencies():
    """Declares every repository that weir and its users need; existing names win."""
    _rule_repositories()
    _libraries()
    _test_libraries()
