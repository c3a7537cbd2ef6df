package main

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	featurespb "weir/pb/features"
)

// features is weir.interop.Features: what the server sees of a call, how handlers end, draining.
type features struct {
	mutex sync.Mutex
	calls map[string]*featurespb.Observation
}

// change applies `edit` to what is known of a call.
func (f *features) change(callID string, edit func(*featurespb.Observation)) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.calls == nil {
		f.calls = map[string]*featurespb.Observation{}
	}
	if f.calls[callID] == nil {
		f.calls[callID] = &featurespb.Observation{Known: true, Running: true}
	}
	edit(f.calls[callID])
}

func (f *features) sent(callID string) {
	f.change(callID, func(call *featurespb.Observation) { call.Sent++ })
}

func (f *features) ended(callID string, cancelled bool) {
	f.change(callID, func(call *featurespb.Observation) { call.Running, call.Cancelled = false, cancelled })
}

func toMetadata(pairs []*featurespb.Pair) metadata.MD {
	md := metadata.MD{}
	for _, pair := range pairs {
		md.Append(pair.Key, string(pair.Value))
	}
	return md
}

func (f *features) Inspect(ctx context.Context, request *featurespb.InspectRequest) (*featurespb.InspectReply, error) {
	if err := grpc.SetHeader(ctx, toMetadata(request.Initial)); err != nil {
		return nil, err
	}
	if err := grpc.SetTrailer(ctx, toMetadata(request.Trailing)); err != nil {
		return nil, err
	}
	if request.Code != 0 {
		return nil, status.Error(codes.Code(request.Code), request.Message)
	}
	reply := &featurespb.InspectReply{RemainingMs: -1}
	if deadline, ok := ctx.Deadline(); ok {
		reply.RemainingMs = time.Until(deadline).Milliseconds()
	}
	received, _ := metadata.FromIncomingContext(ctx)
	for key, values := range received {
		for _, value := range values {
			if strings.HasPrefix(key, "x-") {
				reply.Metadata = append(reply.Metadata, &featurespb.Pair{Key: key, Value: []byte(value)})
			}
		}
	}
	return reply, nil
}

// cancelledSoon: the requests of a cancelled call may end before the call does.
func cancelledSoon(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(2 * time.Second):
		return false
	}
}

func (f *features) Hold(stream featurespb.Features_HoldServer) error {
	callID, last := "", false
	for {
		note, err := stream.Recv()
		if err == nil {
			callID, last = note.CallId, note.Last
			f.change(callID, func(*featurespb.Observation) {})
			err = stream.Send(note)
		}
		if err == io.EOF {
			f.ended(callID, !last && cancelledSoon(stream.Context()))
			return nil
		}
		if err != nil {
			f.ended(callID, true)
			return err
		}
		f.sent(callID)
	}
}

func (f *features) Flood(request *featurespb.FloodRequest, stream featurespb.Features_FloodServer) error {
	f.change(request.CallId, func(*featurespb.Observation) {})
	blob := &featurespb.Blob{Body: make([]byte, request.SizeBytes)}
	for i := int32(0); i < request.Count; i++ {
		if err := stream.Send(blob); err != nil {
			f.ended(request.CallId, true)
			return err
		}
		f.sent(request.CallId)
	}
	f.ended(request.CallId, false)
	return nil
}

func (f *features) Observe(_ context.Context, request *featurespb.ObserveRequest) (*featurespb.Observation, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if call := f.calls[request.CallId]; call != nil {
		seen := *call
		return &seen, nil
	}
	return &featurespb.Observation{}, nil
}

func (f *features) Drain(context.Context, *featurespb.DrainRequest) (*featurespb.DrainReply, error) {
	return &featurespb.DrainReply{}, syscall.Kill(os.Getpid(), syscall.SIGTERM)
}
