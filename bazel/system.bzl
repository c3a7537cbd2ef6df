"""Repository rules that make installed libraries usable as Bazel targets.

Headers stay in /usr/include, which the auto-detected C++ toolchain lists as a built-in include
directory: a library is therefore a target that carries only link options and defines. No header
globs, no copied trees.

System headers are not inputs of compile actions. So that an upgrade of a library recompiles what
uses it, every target carries its library's version in a define.
"""

def _run(rctx, args, apt):
    result = rctx.execute(args)
    if result.return_code != 0:
        fail("@%s: `%s` failed (exit %d). %s\nDo: apt-get install -y pkg-config %s" % (
            rctx.name,
            " ".join([str(a) for a in args]),
            result.return_code,
            result.stderr.strip(),
            apt,
        ))
    return result.stdout.strip()

def _words(text):
    return [word for word in text.replace("\n", " ").split(" ") if word]

def _pkg_config(rctx, modules, apt):
    """Returns (link options, defines) of pkg-config modules."""
    libs = _words(_run(rctx, ["pkg-config", "--libs"] + modules, apt))
    cflags = _words(_run(rctx, ["pkg-config", "--cflags"] + modules, apt))
    for flag in cflags:
        if flag.startswith("-I") and not flag.startswith("-I/usr/include"):
            fail("@%s: %s wants %s, which is outside the compiler's built-in directories. " % (rctx.name, modules, flag) +
                 "Do: declare your own repository of this name before weir_dependencies()")
    version = _run(rctx, ["pkg-config", "--modversion", modules[0]], apt)
    defines = [flag[2:] for flag in cflags if flag.startswith("-D")]
    return libs, defines + ["WEIR_SYSTEM_%s=%s" % (_identifier(rctx.name), _identifier(version))]

def _identifier(text):
    return "".join([c if c.isalnum() else "_" for c in text.elems()])

def _cc_library(name, linkopts, defines, deps = []):
    return """
cc_library(
    name = {name},
    defines = {defines},
    linkopts = {linkopts},
    visibility = ["//visibility:public"],
    deps = {deps},
)
""".format(name = repr(name), linkopts = repr(linkopts), defines = repr(defines), deps = repr(deps))

def _package_and_name(label):
    """"absl/strings" is //absl/strings:strings, "zlib" is //:zlib, "a/b:c" is //a/b:c."""
    package, _, name = label.rpartition(":")
    if package:
        return package, name
    return (label if "/" in label else ""), label.rpartition("/")[2]

def _system_library_impl(rctx):
    builds = {"": []}
    for label, modules in rctx.attr.modules.items():
        package, name = _package_and_name(label)
        linkopts, defines = _pkg_config(rctx, modules, rctx.attr.apt)
        linkopts = linkopts + rctx.attr.extra_linkopts.get(label, [])
        builds.setdefault(package, []).append(_cc_library(name, linkopts, defines))
    for package, rules in builds.items():
        rctx.file((package + "/" if package else "") + "BUILD.bazel", "".join(rules), executable = False)

system_library = repository_rule(
    doc = "Targets for pkg-config modules: label inside the repository -> modules.",
    implementation = _system_library_impl,
    attrs = {
        "apt": attr.string(doc = "what to install when a module is missing"),
        "extra_linkopts": attr.string_list_dict(doc = "label -> link options that pkg-config does not know"),
        "modules": attr.string_list_dict(mandatory = True),
    },
    configure = True,
    environ = ["PKG_CONFIG_PATH"],
    local = True,
)

# Well-known types -> their imports.
_WELL_KNOWN = {
    "any": [],
    "api": ["source_context", "type"],
    "compiler/plugin": ["descriptor"],
    "descriptor": [],
    "duration": [],
    "empty": [],
    "field_mask": [],
    "source_context": [],
    "struct": [],
    "timestamp": [],
    "type": ["any", "source_context"],
    "wrappers": [],
}

_PROTOBUF_BUILD = """
package(default_visibility = ["//visibility:public"])

exports_files(["protoc"])

proto_lang_toolchain(
    name = "cc_toolchain",
    # Bazel 4.2.3 wants proto_library targets here; a filegroup lacks ProtoInfo.
    blacklisted_protos = {well_known},
    command_line = "--cpp_out=$(OUT)",
    runtime = ":protobuf",
)
"""

_WELL_KNOWN_BUILD = """
proto_library(
    name = "{name}_proto",
    srcs = ["include/google/protobuf/{file}.proto"],
    strip_import_prefix = "include",
    deps = {deps},
)
"""

def _wkt_target(file):
    return ":%s_proto" % file.replace("/", "_")

def _check_protoc(rctx, version, apt):
    protoc = rctx.which("protoc")
    if not protoc:
        fail("@%s: protoc is not on PATH. Do: apt-get install -y %s" % (rctx.name, apt))
    said = _run(rctx, [protoc, "--version"], apt)

    # Library 3.21.12 comes with a protoc that says 3.21.12 or 21.12.
    if not said.endswith(version) and not said.endswith(" " + version.partition(".")[2]):
        fail("@%s: expected protoc of libprotobuf %s, got \"%s\" from %s. Do: install both from one release" %
             (rctx.name, version, said, protoc))
    return protoc

def _system_protobuf_impl(rctx):
    apt = "protobuf-compiler libprotobuf-dev libprotoc-dev"
    version = _run(rctx, ["pkg-config", "--modversion", "protobuf"], apt)
    _run(rctx, ["pkg-config", "--atleast-version", rctx.attr.min_version, "protobuf"], apt)
    rctx.symlink(_check_protoc(rctx, version, apt), "protoc")
    include_dir = _run(rctx, ["pkg-config", "--variable=includedir", "protobuf"], apt)
    rctx.symlink(include_dir + "/google", "include/google")

    libs, defines = _pkg_config(rctx, ["protobuf"], apt)
    build = [
        _PROTOBUF_BUILD.format(well_known = repr([_wkt_target(f) for f in _WELL_KNOWN])),
        _cc_library("protobuf", libs + ["-lpthread"], defines),
        _cc_library("protobuf_headers", [], defines),
        _cc_library("protobuf_lite", ["-lprotobuf-lite", "-lpthread"], defines),
        _cc_library("protoc_lib", ["-lprotoc"], [], deps = [":protobuf"]),
    ]
    for file, imports in _WELL_KNOWN.items():
        build.append(_WELL_KNOWN_BUILD.format(
            name = file.replace("/", "_"),
            file = file,
            deps = repr([_wkt_target(f) for f in imports]),
        ))
    rctx.file("BUILD.bazel", "".join(build), executable = False)

system_protobuf = repository_rule(
    doc = "@com_google_protobuf on the installed protoc and libprotobuf, with upstream's labels.",
    implementation = _system_protobuf_impl,
    attrs = {"min_version": attr.string(default = "3.21.0")},
    configure = True,
    environ = ["PATH", "PKG_CONFIG_PATH"],
    local = True,
)

_PROTO_BUILD = """
proto_library(
    name = "{name}",
    srcs = ["{file}"],
    visibility = ["//visibility:public"],
    deps = {deps},
)

cc_proto_library(
    name = "{cc_name}",
    visibility = ["//visibility:public"],
    deps = [":{name}"],
)
"""

# grpc-proto does not ship this file, but service_config.proto imports it.
_GOOGLE_RPC_CODE = """
syntax = "proto3";
package google.rpc;
enum Code {
  OK = 0;
  CANCELLED = 1;
  UNKNOWN = 2;
  INVALID_ARGUMENT = 3;
  DEADLINE_EXCEEDED = 4;
  NOT_FOUND = 5;
  ALREADY_EXISTS = 6;
  PERMISSION_DENIED = 7;
  RESOURCE_EXHAUSTED = 8;
  FAILED_PRECONDITION = 9;
  ABORTED = 10;
  OUT_OF_RANGE = 11;
  UNIMPLEMENTED = 12;
  INTERNAL = 13;
  UNAVAILABLE = 14;
  DATA_LOSS = 15;
  UNAUTHENTICATED = 16;
}
"""

def _system_proto_tree_impl(rctx):
    build = []
    for name, entry in rctx.attr.protos.items():
        file, deps = entry[0], entry[1:]
        installed = rctx.path(rctx.attr.root + "/" + file)
        if installed.exists:
            rctx.symlink(installed, file)
        elif file == "google/rpc/code.proto":
            rctx.file(file, _GOOGLE_RPC_CODE, executable = False)
        else:
            fail("@%s: expected %s. Do: apt-get install -y %s" % (rctx.name, installed, rctx.attr.apt))
        build.append(_PROTO_BUILD.format(
            name = name,
            cc_name = name[:-len("_proto")] + "_cc_proto",
            file = file,
            deps = repr(deps),
        ))
    rctx.file("BUILD.bazel", "".join(build), executable = False)

system_proto_tree = repository_rule(
    doc = "proto_library and cc_proto_library targets over installed .proto files.",
    implementation = _system_proto_tree_impl,
    attrs = {
        "apt": attr.string(),
        "protos": attr.string_list_dict(doc = "target -> [file below root, deps...]"),
        "root": attr.string(mandatory = True),
    },
    configure = True,
    local = True,
)
