"""What a peer's library cannot do: cells that do not run, each with its reason. All else must be green."""

import collections

# A case is left out where this peer stands on this side ("client" or "server").
Limit = collections.namedtuple("Limit", "side peer cases reason")

LIMITS = (
    Limit("client", "go", ("client_compressed_streaming", "client_compressed_streaming_noprobe"),
          "grpc-go compresses all messages of a call or none"),
    Limit("server", "go", ("server_compressed_unary", "server_compressed_streaming"),
          "a server of grpc-go 1.33 cannot choose whether to compress: it does as the request did"),
    Limit("server", "js", ("server_compressed_unary", "server_compressed_streaming"),
          "a server of grpc-js does not compress"),
    Limit("server", "js", ("client_compressed_unary", "client_compressed_streaming"),
          "a server of grpc-js does not see whether a message was compressed: the probe needs it (see _noprobe)"),
    Limit("server", "js", ("metadata_to_server",), "node joins the values that come for one key, as HTTP lets it"),
    Limit("server", "python", ("client_compressed_unary", "client_compressed_streaming"),
          "a server of grpcio does not see whether a message was compressed: the probe needs it (see _noprobe)"),
    Limit("client", "python", ("client_compressed_streaming", "client_compressed_streaming_noprobe"),
          "a client of grpcio compresses all messages of a call or none"),
    Limit("client", "grpcpp", ("orca_per_rpc",), "a client on gRPC's core keeps endpoint-load-metrics-bin from its user"),
    Limit("client", "python", ("orca_per_rpc",), "a client on gRPC's core keeps endpoint-load-metrics-bin from its user"),
    Limit("client", "grpcpp", ("data_frame_padding",), "grpc++ 1.51 refuses padded DATA frames"),
)


def reason(direction, case):
    """Why this cell does not run in CLIENT:SERVER, or None."""
    client, _, server = direction.partition(":")
    for limit in LIMITS:
        if limit.peer == (client if limit.side == "client" else server) and case in limit.cases:
            return limit.reason
    return None


def left_out(direction):
    """Names of the cases to leave out in CLIENT:SERVER."""
    client, _, server = direction.partition(":")
    return sorted({
        case for limit in LIMITS for case in limit.cases
        if limit.peer == (client if limit.side == "client" else server)
    })
