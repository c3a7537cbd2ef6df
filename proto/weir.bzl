"""cc_weir_library: C++ service classes and clients of proto_library targets.

    load("@weir//proto:weir.bzl", "cc_weir_library")

    proto_library(name = "greeter_proto", srcs = ["greeter.proto"])
    cc_proto_library(name = "greeter_cc_proto", deps = [":greeter_proto"])
    cc_weir_library(name = "greeter_cc_weir", srcs = [":greeter_proto"], deps = [":greeter_cc_proto"])

The library has greeter.weir.pb.h, which is included with the path of the .proto file.

It takes the arguments of gRPC's cc_grpc_library and is exported under that name, too: a BUILD file
moves to weir by the change of its load() line.
"""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_proto_library")
load("@rules_proto//proto:defs.bzl", "proto_library")

def _import_path(src, roots):
    """The path that import statements and protoc use for a .proto file.

    Args:
      src: the File.
      roots: directories in the execution root, longest first.
    """
    for root in roots:
        if src.path.startswith(root + "/"):
            return src.path[len(root) + 1:]
    return src.path

def _roots(info, src):
    """Where the import path of a source of a proto_library may begin."""
    bin_dir = src.root.path
    repository = src.owner.workspace_root
    roots = [
        # With strip_import_prefix or import_prefix: .../_virtual_imports/<target>.
        info.proto_source_root,
        "/".join([part for part in [bin_dir, repository] if part]),
        bin_dir,
        repository,
    ]
    return sorted([root for root in roots if root and root != "."], key = len, reverse = True)

def _codegen_impl(ctx):
    sources = {}  # import path -> File
    descriptors = []
    for target in ctx.attr.protos:
        info = target[ProtoInfo]
        for src in info.direct_sources:
            sources[_import_path(src, _roots(info, src))] = src
        descriptors.append(info.transitive_descriptor_sets)
    descriptors = depset(transitive = descriptors)

    # Everything is below an include directory of its own. So it does not matter in which package and
    # repository the .proto file is, and two libraries may be generated from the same file.
    include_dir = "_virtual_includes/" + ctx.label.name
    hdrs, srcs, mocks = [], [], []
    for path in sources:
        if not path.endswith(".proto"):
            fail("%s: expected a file named *.proto, got %s" % (ctx.label, path))
        stem = include_dir + "/" + path[:-len(".proto")]
        hdrs.append(ctx.actions.declare_file(stem + ".weir.pb.h"))
        srcs.append(ctx.actions.declare_file(stem + ".weir.pb.cc"))
        if ctx.attr.mocks:
            mocks.append(ctx.actions.declare_file(stem + ".weir.mock.h"))
    out = hdrs[0].path[:hdrs[0].path.index(include_dir) + len(include_dir)]

    # The sources themselves are read for their comments, which descriptor sets do not have. Imports
    # come from descriptor sets: that needs no search path and finds what was declared, nothing else.
    args = ctx.actions.args()
    args.add(ctx.executable._plugin, format = "--plugin=protoc-gen-weir=%s")
    args.add("--weir_out=" + out)
    if ctx.attr.mocks:
        args.add("--weir_opt=generate_mock_code=true")
    args.add_joined("--descriptor_set_in", descriptors, join_with = ctx.configuration.host_path_separator)
    args.add_all(["-I%s=%s" % (path, src.path) for path, src in sources.items()])
    args.add_all(sources.keys())
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = depset(sources.values(), transitive = [descriptors]),
        tools = [ctx.executable._plugin],
        outputs = hdrs + srcs + mocks,
        mnemonic = "WeirCodegen",
        progress_message = "Generating weir services of %s" % ctx.label,
    )
    return [
        DefaultInfo(files = depset(hdrs + srcs + mocks)),
        OutputGroupInfo(hdrs = depset(hdrs), srcs = depset(srcs), mocks = depset(mocks)),
        CcInfo(compilation_context = cc_common.create_compilation_context(
            headers = depset(hdrs),
            includes = depset([out]),
        )),
    ]

_weir_codegen = rule(
    implementation = _codegen_impl,
    attrs = {
        "mocks": attr.bool(),
        "protos": attr.label_list(allow_empty = False, mandatory = True, providers = [ProtoInfo]),
        "_plugin": attr.label(cfg = "exec", default = "//proto/plugin:protoc-gen-weir", executable = True),
        "_protoc": attr.label(
            allow_single_file = True,
            cfg = "exec",
            default = "@com_google_protobuf//:protoc",
            executable = True,
        ),
    },
)

# Attributes of the library that its helper targets must have as well.
_COMMON = ["compatible_with", "restricted_to", "tags", "target_compatible_with", "testonly", "visibility"]

# As gRPC does: cc_grpc_library(name = "x", srcs = ["x.proto"]) has a proto_library of this name, which
# the ones that import it find by theirs.
def _proto_only(label):
    package, colon, name = label.rpartition(":")
    if not colon and "/" in label:
        package, colon, name = label, ":", label.rpartition("/")[2]
    return package + colon + "_" + name + "_only"

_WELL_KNOWN = [
    Label("@com_google_protobuf//:%s_proto" % name)
    for name in [
        "any",
        "api",
        "compiler_plugin",
        "descriptor",
        "duration",
        "empty",
        "field_mask",
        "source_context",
        "struct",
        "timestamp",
        "type",
        "wrappers",
    ]
]

def _messages_of_files(name, cc_name, srcs, deps, well_known_protos, common):
    """proto_library and cc_proto_library of .proto files. Returns the proto_library."""
    proto = _proto_only(name)
    proto_library(
        name = proto,
        srcs = srcs,
        deps = [_proto_only(dep) for dep in deps] + (_WELL_KNOWN if well_known_protos else []),
        **common
    )
    cc_proto_library(name = cc_name, deps = [":" + proto], **common)
    return ":" + proto

def _mock_library(name, codegen, copts, common):
    """The classes that tests use in place of those of the library `name`."""
    common = dict(common, testonly = True)
    native.filegroup(name = codegen + "_mocks", srcs = [":" + codegen], output_group = "mocks", **common)
    cc_library(
        name = name + "_mock",
        hdrs = [":" + codegen + "_mocks"],
        copts = ["-std=c++20"] + copts,
        deps = [
            ":" + name,
            Label("//rpc/testing:script"),
            Label("@com_google_googletest//:gtest"),
        ],
        **common
    )

def cc_weir_library(
        name,
        srcs,
        deps,
        proto_only = False,
        well_known_protos = False,
        generate_mocks = False,
        allow_deprecated = False,
        use_external = False,
        grpc_only = None,
        copts = [],
        **kwargs):
    """A C++ library with the services of .proto files.

    Args:
      name: of the library.
      srcs: proto_library targets, whose messages are in `deps`; or names of .proto files, for which
        the library contains the messages, too.
      deps: cc_proto_library targets of `srcs` and of what they import; with .proto files, the
        libraries made by this macro from the files that they import.
      proto_only: only messages, no services.
      well_known_protos: with .proto files, they may import google/protobuf/*.proto.
      generate_mocks: makes a second library, of the same name with "_mock" at its end, for tests only: greeter.weir.mock.h
        with MockGreeterClient and MockGreeterService, for GoogleMock.
      allow_deprecated: no effect, as with gRPC.
      use_external: no effect, as with gRPC.
      grpc_only: whether `srcs` are proto_library targets. This macro sees it, and only checks.
      copts: for the generated code, after its own.
      **kwargs: for cc_library.
    """
    if not srcs:
        fail("%s: expected srcs, got none" % name)
    files = [src for src in srcs if src.endswith(".proto")]
    if files and len(files) != len(srcs):
        fail("%s: srcs: expected proto_library targets or .proto files, got both" % name)
    if files and grpc_only:
        fail("%s: grpc_only = True: expected proto_library targets in srcs, got %s" % (name, files[0]))
    if grpc_only and proto_only:
        fail("%s: expected grpc_only or proto_only, got both" % name)

    common = {key: value for key, value in kwargs.items() if key in _COMMON}
    cc_proto = name if proto_only else "_" + name + "_cc_proto"
    protos = srcs
    if files:
        protos = [_messages_of_files(name, cc_proto, srcs, deps, well_known_protos, common)]
        deps = deps + [":" + cc_proto]
    elif proto_only:
        if len(srcs) != 1:
            fail("%s: proto_only: expected one proto_library, got %d" % (name, len(srcs)))
        cc_proto_library(name = cc_proto, deps = srcs, **common)
    if proto_only:
        return

    codegen = "_" + name + "_weir_codegen"
    _weir_codegen(name = codegen, mocks = generate_mocks, protos = protos, **common)
    native.filegroup(name = codegen + "_hdrs", srcs = [":" + codegen], output_group = "hdrs", **common)
    native.filegroup(name = codegen + "_srcs", srcs = [":" + codegen], output_group = "srcs", **common)
    cc_library(
        name = name,
        srcs = [":" + codegen + "_srcs"],
        hdrs = [":" + codegen + "_hdrs"],
        # The options in our .bazelrc do not reach another workspace.
        copts = ["-std=c++20"] + copts,
        deps = deps + [
            ":" + codegen,
            Label("//rpc/client:stub"),
            Label("//rpc/server:service"),
        ],
        **kwargs
    )
    if generate_mocks:
        _mock_library(name, codegen, copts, common)

cc_grpc_library = cc_weir_library
