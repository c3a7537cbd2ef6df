package main

// In the order of cases/case_table.cc.
var officialCases = []testCase{
	{"empty_unary", emptyUnary},
	{"cacheable_unary", cacheableUnary},
	{"large_unary", largeUnary},
	{"client_streaming", clientStreaming},
	{"server_streaming", serverStreaming},
	{"ping_pong", pingPong},
	{"empty_stream", emptyStream},
	{"custom_metadata", customMetadata},
	{"status_code_and_message", statusCodeAndMessage},
	{"special_status_message", specialStatusMessage},
	{"unimplemented_method", unimplementedMethod},
	{"unimplemented_service", unimplementedService},
	{"cancel_after_begin", cancelAfterBegin},
	{"cancel_after_first_response", cancelAfterFirstResponse},
	{"timeout_on_sleeping_server", timeoutOnSleepingServer},
	{"pick_first_unary", pickFirstUnary},
	{"concurrent_large_unary", concurrentLargeUnary},
	{"very_large_request", veryLargeRequest},
	{"rpc_soak", rpcSoak},
	{"channel_soak", channelSoak},
	{"long_lived_channel", longLivedChannel},
	{"orca_per_rpc", orcaPerRPC},
	{"orca_oob", orcaOOB},
}

var compressionCases = []testCase{
	{"client_compressed_unary", clientCompressedUnary},
	{"client_compressed_unary_noprobe", clientCompressedUnaryNoProbe},
	{"server_compressed_unary", serverCompressedUnary},
	{"server_compressed_streaming", serverCompressedStreaming},
}
