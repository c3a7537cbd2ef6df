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

// The last one ends its server.
var featureCases = []testCase{
	{"half_duplex", halfDuplex},
	{"deadline_seen_by_server", deadlineSeenByServer},
	{"deadline_cancels_handler", deadlineCancelsHandler},
	{"cancel_seen_by_handler", cancelSeenByHandler},
	{"all_status_codes", allStatusCodes},
	{"unicode_status", unicodeStatus},
	{"status_while_writing", statusWhileWriting},
	{"metadata_to_server", metadataToServer},
	{"metadata_to_client", metadataToClient},
	{"metadata_with_error", metadataWithError},
	{"message_at_limit", messageAtLimit},
	{"request_above_limit", requestAboveLimit},
	{"response_above_limit", responseAboveLimit},
	{"thousand_streams", thousandStreams},
	{"slow_reader", slowReader},
	{"unread_calls", unreadCalls},
	{"push_back_both_ways", pushBackBothWays},
	{"drain_in_flight", drainInFlight},
}

var http2Cases = []testCase{
	{"goaway", twoCalls},
	{"rst_after_header", expectReset},
	{"rst_during_data", expectReset},
	{"rst_after_data", expectReset},
	{"ping", patientCall},
	{"max_streams", maxStreams},
	{"data_frame_padding", patientCall},
	{"no_df_padding_sanity_test", patientCall},
}
