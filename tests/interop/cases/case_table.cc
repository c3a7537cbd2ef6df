#include "tests/interop/cases/case_table.h"

namespace weir::interop {
namespace {

constexpr CaseGroup kAll = CaseGroup::kAll;
constexpr CaseGroup kCompression = CaseGroup::kCompression;
constexpr CaseGroup kFeatures = CaseGroup::kFeatures;
constexpr CaseGroup kHttp2 = CaseGroup::kHttp2;

// A case that ends its server comes last.
constexpr Case kCases[] = {
    {"empty_unary", kAll, EmptyUnary, "zero-length message both ways"},
    {"cacheable_unary", kAll, CacheableUnary, "as POST: answer and cache-control metadata"},
    {"large_unary", kAll, LargeUnary, "271828 bytes up, 314159 down"},
    {"client_streaming", kAll, ClientStreaming, "4 messages up, their total of 74922 down"},
    {"server_streaming", kAll, ServerStreaming, "4 messages of exact sizes down"},
    {"ping_pong", kAll, PingPong, "4 exchanges that strictly alternate"},
    {"empty_stream", kAll, EmptyStream, "bidi call without messages"},
    {"custom_metadata", kAll, CustomMetadata, "initial and binary trailing metadata echoed, unary and bidi"},
    {"status_code_and_message", kAll, StatusCodeAndMessage, "UNKNOWN \"test status message\", unary and bidi"},
    {"special_status_message", kAll, SpecialStatusMessage, "white space and non-BMP characters in the message"},
    {"unimplemented_method", kAll, UnimplementedMethod, "known service, unknown method"},
    {"unimplemented_service", kAll, UnimplementedService, "unknown service"},
    {"cancel_after_begin", kAll, CancelAfterBegin, "cancelled before any message"},
    {"cancel_after_first_response", kAll, CancelAfterFirstResponse, "cancelled after one exchange"},
    {"timeout_on_sleeping_server", kAll, TimeoutOnSleepingServer, "1 ms deadline"},
    {"pick_first_unary", kAll, PickFirstUnary, "20 calls, one server id"},
    {"concurrent_large_unary", kAll, ConcurrentLargeUnary, "1000 large_unary at a time"},
    {"very_large_request", kAll, VeryLargeRequest, "4,000,000 bytes up"},
    {"rpc_soak", kAll, RpcSoak, "large_unary many times on one channel"},
    {"channel_soak", kAll, ChannelSoak, "large_unary many times, each on a new channel"},
    {"long_lived_channel", kAll, LongLivedChannel, "large_unary at intervals on one channel"},
    {"orca_per_rpc", kAll, OrcaPerRpc, "the server's load in the trailers of a call"},
    {"orca_oob", kAll, OrcaOob, "the server's load on a stream of its own"},

    {"client_compressed_unary", kCompression, ClientCompressedUnary, "a plain probe is refused; then as without probe"},
    {"client_compressed_unary_noprobe", kCompression, ClientCompressedUnaryNoProbe,
     "a compressed call and a plain one"},
    {"server_compressed_unary", kCompression, ServerCompressedUnary, "a compressed response and a plain one"},
    {"client_compressed_streaming", kCompression, ClientCompressedStreaming,
     "a plain probe is refused; then as without probe"},
    {"client_compressed_streaming_noprobe", kCompression, ClientCompressedStreamingNoProbe,
     "a compressed and a plain message up"},
    {"server_compressed_streaming", kCompression, ServerCompressedStreaming, "a compressed and a plain message down"},

    {"half_duplex", kFeatures, HalfDuplex, "all requests first, then all responses"},
    {"deadline_seen_by_server", kFeatures, DeadlineSeenByServer, "the handler knows the time that is left"},
    {"deadline_cancels_handler", kFeatures, DeadlineCancelsHandler, "DEADLINE_EXCEEDED here, cancelled there"},
    {"cancel_seen_by_handler", kFeatures, CancelSeenByHandler, "CANCELLED here, cancelled there"},
    {"all_status_codes", kFeatures, AllStatusCodes, "codes 1 to 16 with their messages"},
    {"unicode_status", kFeatures, UnicodeStatus, "every kind of character in the message"},
    {"status_while_writing", kFeatures, StatusWhileWriting, "the server ends a call whose client still writes"},
    {"metadata_to_server", kFeatures, MetadataToServer, "duplicates, binary and empty values as the server sees them"},
    {"metadata_to_client", kFeatures, MetadataToClient, "the same as the client sees them, initial and trailing"},
    {"metadata_with_error", kFeatures, MetadataWithError, "trailing metadata of a call that fails"},
    {"message_at_limit", kFeatures, MessageAtLimit, "exactly 4 MiB up and down"},
    {"request_above_limit", kFeatures, RequestAboveLimit, "one byte more up: RESOURCE_EXHAUSTED"},
    {"response_above_limit", kFeatures, ResponseAboveLimit, "one byte more down: RESOURCE_EXHAUSTED"},
    {"thousand_streams", kFeatures, ThousandStreams, "1000 open bidi calls exchange messages in turn"},
    {"slow_reader", kFeatures, SlowReader, "a client that does not read stops the server's writes"},
    {"unread_calls", kFeatures, UnreadCalls, "calls whose replies nobody reads do not hold up the others"},
    {"push_back_both_ways", kFeatures, PushBackBothWays,
     "echoes that nobody reads stop the server, and then the client"},
    {"drain_in_flight", kFeatures, DrainInFlight, "a draining server finishes its calls and takes no more"},

    {"goaway", kHttp2, Goaway, "GOAWAY after the first call: the second one on a new connection"},
    {"rst_after_header", kHttp2, RstAfterHeader, "RST_STREAM instead of data: the call fails"},
    {"rst_during_data", kHttp2, RstDuringData, "RST_STREAM after half of the data: the call fails"},
    {"rst_after_data", kHttp2, RstAfterData, "RST_STREAM instead of trailers: the call fails"},
    {"ping", kHttp2, Ping, "PINGs around headers and data are answered"},
    {"max_streams", kHttp2, MaxStreams, "10 calls at once where 1 stream is allowed: all succeed"},
    {"data_frame_padding", kHttp2, DataFramePadding, "frames of 5 bytes with 255 of padding"},
    {"no_df_padding_sanity_test", kHttp2, NoDataFramePaddingSanityTest, "the same without padding"},
};

}  // namespace

std::span<const Case> AllCases() { return kCases; }

}  // namespace weir::interop
