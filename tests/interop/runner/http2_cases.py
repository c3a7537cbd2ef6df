"""The names of the negative HTTP/2 cases, in the order of gRPC's negative-http2-interop-test-descriptions.md."""

HTTP2_CASES = ("goaway", "rst_after_header", "rst_during_data", "rst_after_data", "ping", "max_streams",
               "data_frame_padding", "no_df_padding_sanity_test")
