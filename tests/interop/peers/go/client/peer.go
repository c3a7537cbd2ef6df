package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	featurespb "weir/pb/features"
	orcapb "weir/pb/orcaservice"
	testpb "weir/pb/testing"
)

var (
	serverHost   = flag.String("server_host", "localhost", "where the server runs")
	serverPort   = flag.Int("server_port", 0, "its port")
	_            = flag.String("server_host_override", "", "accepted; only TLS looks at it")
	_            = flag.Bool("use_tls", false, "must be false")
	_            = flag.Bool("use_test_ca", false, "accepted; only TLS looks at it")
	additional   = flag.String("additional_metadata", "", "sent with every call: key1:value1;key2:value2")
	streamsCount = flag.Int("streams", 1000, "calls at a time in concurrent_large_unary")
)

// A testCase returns what is wrong: what was expected, what came.
type testCase struct {
	name string
	run  func(*peer) error
}

// peer is one channel to the server, its stubs, and the flags of the messages that came.
type peer struct {
	ctx           context.Context
	conn          *grpc.ClientConn
	flags         *flagRecorder
	test          testpb.TestServiceClient
	unimplemented testpb.UnimplementedServiceClient
	orca          orcapb.OpenRcaServiceClient
	features      featurespb.FeaturesClient
}

func newPeer(ctx context.Context) (*peer, error) {
	for _, entry := range strings.Split(*additional, ";") {
		if pair := strings.SplitN(entry, ":", 2); len(pair) == 2 {
			ctx = metadata.AppendToOutgoingContext(ctx, pair[0], pair[1])
		}
	}
	flags := &flagRecorder{}
	conn, err := grpc.Dial(fmt.Sprintf("%s:%d", *serverHost, *serverPort), grpc.WithInsecure(),
		grpc.WithStatsHandler(flags))
	if err != nil {
		return nil, err
	}
	return &peer{ctx, conn, flags, testpb.NewTestServiceClient(conn), testpb.NewUnimplementedServiceClient(conn),
		orcapb.NewOpenRcaServiceClient(conn), featurespb.NewFeaturesClient(conn)}, nil
}

// withPeer runs a case on a channel of its own.
func withPeer(run func(*peer) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p, err := newPeer(ctx)
	if err != nil {
		return err
	}
	defer p.conn.Close()
	return run(p)
}

func zeros(bytes int) *testpb.Payload { return &testpb.Payload{Body: make([]byte, bytes)} }

func largeRequest() *testpb.SimpleRequest {
	return &testpb.SimpleRequest{ResponseSize: 314159, Payload: zeros(271828)}
}

func expectLarge(response *testpb.SimpleResponse, err error) error {
	if err != nil {
		return fmt.Errorf("UnaryCall: expected OK, got %v", err)
	}
	return expectSize("UnaryCall response", 314159, response.GetPayload())
}

func expectSize(what string, expected int, payload *testpb.Payload) error {
	if got := len(payload.GetBody()); got != expected {
		return fmt.Errorf("%s: expected %d bytes, got %d", what, expected, got)
	}
	return nil
}

func expectCode(what string, expected codes.Code, err error) error {
	if got := status.Code(err); got != expected {
		return fmt.Errorf("%s: expected %v, got %v", what, expected, err)
	}
	return nil
}

func expectStatus(what string, code codes.Code, message string, err error) error {
	got := status.Convert(err)
	if got.Code() != code || got.Message() != message {
		return fmt.Errorf("%s: expected %v %q, got %v %q", what, code, message, got.Code(), got.Message())
	}
	return nil
}

func expectValue(what string, md metadata.MD, key, expected string) error {
	if got := md.Get(key); len(got) != 1 || got[0] != expected {
		return fmt.Errorf("%s %s: expected [%q], got %q", what, key, expected, got)
	}
	return nil
}
