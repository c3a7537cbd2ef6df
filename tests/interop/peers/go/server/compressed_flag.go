package main

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	testpb "weir/pb/testing"
)

const prefixBytes = 5 // of gRPC before every message

// flagRecorder tells handlers whether the last message of their call was compressed. The library does not show the flag,
// but what its statistics do: a compressed message of zeros has another length on the wire.
type flagRecorder struct{}

type lastFlagKey struct{}

func (*flagRecorder) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, lastFlagKey{}, new(int32))
}

func (*flagRecorder) HandleRPC(ctx context.Context, event stats.RPCStats) {
	payload, ok := event.(*stats.InPayload)
	if !ok {
		return
	}
	compressed := int32(0)
	// 1.33 counts the prefix for unary calls only, so that equal lengths of either kind mean "as it is".
	if payload.WireLength != payload.Length && payload.WireLength != payload.Length+prefixBytes {
		compressed = 1
	}
	atomic.StoreInt32(ctx.Value(lastFlagKey{}).(*int32), compressed)
}

func (*flagRecorder) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*flagRecorder) HandleConn(context.Context, stats.ConnStats)                       {}

// checkCompressed is INVALID_ARGUMENT if the last message of the call is not compressed as the client says it is.
func checkCompressed(ctx context.Context, expected *testpb.BoolValue) error {
	got := atomic.LoadInt32(ctx.Value(lastFlagKey{}).(*int32)) == 1
	if expected == nil || expected.Value == got {
		return nil
	}
	return status.Errorf(codes.InvalidArgument, "compressed: expected %v, got %v", expected.Value, got)
}
