"""grpcpp_library: grpc++'s stubs of .proto files, for the peers that weir is compared with."""

load("@rules_cc//cc:defs.bzl", "cc_library")

def grpcpp_library(name, protos, descriptors, deps, **kwargs):
    """Generates and compiles what protoc-gen-grpc makes. Needs the packages libgrpc++-dev and protobuf-compiler-grpc.

    Args:
      name: the cc_library; its headers are included as "<proto without .proto>.grpc.pb.h".
      protos: paths of the .proto files from the root of the workspace.
      descriptors: a file of descriptors that holds them and what they import, imported ones first.
      deps: cc_proto_library targets of the messages.
      **kwargs: of both rules, such as testonly.
    """
    folder = name + "_stubs"
    stems = [folder + "/" + proto[:-len(".proto")] + ".grpc.pb" for proto in protos]
    sources = [stem + ".cc" for stem in stems]
    headers = [stem + ".h" for stem in stems]
    native.genrule(
        name = name + "_code",
        srcs = [descriptors],
        outs = sources + headers,
        cmd = "$(location @com_google_protobuf//:protoc) --plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin " +
              "--descriptor_set_in=$< --grpc_out=$(RULEDIR)/" + folder + " " + " ".join(protos),
        tags = ["grpcpp"],
        tools = ["@com_google_protobuf//:protoc"],
        **kwargs
    )
    cc_library(
        name = name,
        srcs = sources,
        hdrs = headers,
        includes = [folder],
        tags = ["grpcpp"],
        deps = deps + ["@grpcpp//:grpc++"],
        **kwargs
    )
