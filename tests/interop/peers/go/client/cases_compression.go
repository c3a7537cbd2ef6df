package main

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/stats"

	testpb "weir/pb/testing"
)

const prefixBytes = 5 // of gRPC before every message

// flagRecorder remembers which received messages were compressed: what the library's statistics show of the flag.
type flagRecorder struct {
	mutex      sync.Mutex
	compressed []bool
}

func (f *flagRecorder) HandleRPC(_ context.Context, event stats.RPCStats) {
	if payload, ok := event.(*stats.InPayload); ok {
		// 1.33 counts the prefix for unary calls only.
		plain := payload.WireLength == payload.Length || payload.WireLength == payload.Length+prefixBytes
		f.mutex.Lock()
		f.compressed = append(f.compressed, !plain)
		f.mutex.Unlock()
	}
}

func (f *flagRecorder) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (f *flagRecorder) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (f *flagRecorder) HandleConn(context.Context, stats.ConnStats)                       {}

func (f *flagRecorder) expect(expected ...bool) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if fmt.Sprint(f.compressed) != fmt.Sprint(expected) {
		return fmt.Errorf("compressed flags of the responses: expected %v, got %v", expected, f.compressed)
	}
	return nil
}

func clientCompressedUnary(p *peer) error {
	probe := largeRequest()
	probe.ExpectCompressed = &testpb.BoolValue{Value: true}
	_, err := p.test.UnaryCall(p.ctx, probe)
	if err := expectCode("probe that is not compressed", codes.InvalidArgument, err); err != nil {
		return err
	}
	return clientCompressedUnaryNoProbe(p)
}

func clientCompressedUnaryNoProbe(p *peer) error {
	request := largeRequest()
	request.ExpectCompressed = &testpb.BoolValue{Value: true}
	if err := expectLarge(p.test.UnaryCall(p.ctx, request, grpc.UseCompressor(gzip.Name))); err != nil {
		return err
	}
	request.ExpectCompressed.Value = false
	return expectLarge(p.test.UnaryCall(p.ctx, request))
}

// acceptGzip: 1.33 says that it accepts a compression only in calls that use it for their requests.
func acceptGzip() grpc.CallOption { return grpc.UseCompressor(gzip.Name) }

func serverCompressedUnary(p *peer) error {
	request := largeRequest()
	request.ResponseCompressed = &testpb.BoolValue{Value: true}
	if err := expectLarge(p.test.UnaryCall(p.ctx, request, acceptGzip())); err != nil {
		return err
	}
	request.ResponseCompressed.Value = false
	if err := expectLarge(p.test.UnaryCall(p.ctx, request, acceptGzip())); err != nil {
		return err
	}
	return p.flags.expect(true, false)
}

func serverCompressedStreaming(p *peer) error {
	stream, err := p.test.StreamingOutputCall(p.ctx, &testpb.StreamingOutputCallRequest{
		ResponseParameters: []*testpb.ResponseParameters{
			{Size: 31415, Compressed: &testpb.BoolValue{Value: true}},
			{Size: 92653, Compressed: &testpb.BoolValue{Value: false}},
		},
	}, acceptGzip())
	if err != nil {
		return err
	}
	for _, size := range []int{31415, 92653} {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := expectSize("StreamingOutputCall response", size, response.Payload); err != nil {
			return err
		}
	}
	return p.flags.expect(true, false)
}
