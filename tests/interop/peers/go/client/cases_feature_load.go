package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/golang/protobuf/proto"
	"google.golang.org/grpc/codes"

	featurespb "weir/pb/features"
	testpb "weir/pb/testing"
)

const limitBytes = 4 * 1024 * 1024 // what libraries receive if nobody says otherwise; without the envelope

func expectEOF(what string, receive func() error) error {
	if err := receive(); err != io.EOF {
		return fmt.Errorf("%s: expected the end, got %v", what, err)
	}
	return nil
}

// bodySize: of the payload that makes a message of exactly `bytes`.
func bodySize(bytes int, message func(*testpb.Payload) proto.Message) int {
	body := bytes
	for proto.Size(message(zeros(body))) > bytes {
		body--
	}
	return body
}

func requestOf(bytes int) *testpb.SimpleRequest {
	wrap := func(payload *testpb.Payload) proto.Message { return &testpb.SimpleRequest{Payload: payload} }
	return &testpb.SimpleRequest{Payload: zeros(bodySize(bytes, wrap))}
}

func askFor(bytes int) *testpb.SimpleRequest {
	wrap := func(payload *testpb.Payload) proto.Message { return &testpb.SimpleResponse{Payload: payload} }
	return &testpb.SimpleRequest{ResponseSize: int32(bodySize(bytes, wrap))}
}

func messageAtLimit(p *peer) error {
	if _, err := p.test.UnaryCall(p.ctx, requestOf(limitBytes)); err != nil {
		return err
	}
	response, err := p.test.UnaryCall(p.ctx, askFor(limitBytes))
	if err != nil {
		return err
	}
	if size := proto.Size(response); size != limitBytes {
		return fmt.Errorf("response: expected %d bytes, got %d", limitBytes, size)
	}
	return nil
}

func expectTooLarge(p *peer, request *testpb.SimpleRequest) error {
	_, err := p.test.UnaryCall(p.ctx, request)
	if err := expectCode("UnaryCall with 4 MiB + 1", codes.ResourceExhausted, err); err != nil {
		return err
	}
	_, err = p.test.EmptyCall(p.ctx, &testpb.Empty{})
	return err
}

func requestAboveLimit(p *peer) error  { return expectTooLarge(p, requestOf(limitBytes+1)) }
func responseAboveLimit(p *peer) error { return expectTooLarge(p, askFor(limitBytes+1)) }

// endHold makes the last exchange of a Hold, after which it must end well.
func endHold(stream featurespb.Features_HoldClient, note *featurespb.Note) error {
	note.Last = true
	if err := exchangeNote(stream, note); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return expectEOF("Hold", func() error { _, err := stream.Recv(); return err })
}

func thousandStreams(p *peer) error {
	var streams []featurespb.Features_HoldClient
	for i := 0; i < *streamsCount; i++ {
		stream, err := p.features.Hold(p.ctx)
		if err != nil {
			return err
		}
		streams = append(streams, stream)
	}
	for round := 0; round < 3; round++ {
		for i, stream := range streams {
			note := &featurespb.Note{CallId: fmt.Sprint("stream ", i), Body: []byte(fmt.Sprint("round ", round))}
			if err := exchangeNote(stream, note); err != nil {
				return fmt.Errorf("round %d stream %d: %v", round+1, i+1, err)
			}
		}
	}
	for i, stream := range streams {
		if err := endHold(stream, &featurespb.Note{CallId: fmt.Sprint("stream ", i)}); err != nil {
			return fmt.Errorf("stream %d: %v", i+1, err)
		}
	}
	return nil
}

// expectBlobs reads a Flood to its end.
func expectBlobs(stream featurespb.Features_FloodClient, count, bytes int) error {
	for i := 0; i < count; i++ {
		blob, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("blob %d of %d: %v", i+1, count, err)
		}
		if len(blob.Body) != bytes {
			return fmt.Errorf("blob %d: expected %d bytes, got %d", i+1, bytes, len(blob.Body))
		}
	}
	return expectEOF("Flood", func() error { _, err := stream.Recv(); return err })
}

// observeStandstill asks until the handler has written nothing for a while.
func observeStandstill(p *peer, callID string) (*featurespb.Observation, error) {
	sent, since := int64(-1), time.Now()
	return observe(p, callID, func(seen *featurespb.Observation) bool {
		if seen.Sent != sent {
			sent, since = seen.Sent, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
}

func slowReader(p *peer) error {
	const count, bytes = 2048, 64 * 1024
	callID := newCallID()
	stream, err := p.features.Flood(p.ctx, &featurespb.FloodRequest{CallId: callID, Count: count, SizeBytes: bytes})
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	seen, err := observeStandstill(p, callID)
	if err != nil {
		return err
	}
	if !seen.Running || seen.Sent >= count/2 {
		return fmt.Errorf("server: expected to stop before %d blobs, got %v", count/2, seen)
	}
	return expectBlobs(stream, count-1, bytes)
}

// unreadCalls: flow control of the connection must not make one call wait for the reader of another.
func unreadCalls(p *peer) error {
	const count, bytes = 32, 64 * 1024
	var unread []featurespb.Features_FloodClient
	for i := 0; i < 20; i++ {
		request := &featurespb.FloodRequest{CallId: fmt.Sprint(newCallID(), i), Count: count, SizeBytes: bytes}
		stream, err := p.features.Flood(p.ctx, request)
		if err != nil {
			return err
		}
		unread = append(unread, stream)
	}
	if err := expectLarge(p.test.UnaryCall(p.ctx, largeRequest())); err != nil {
		return err
	}
	for _, stream := range unread {
		if err := expectBlobs(stream, count, bytes); err != nil {
			return err
		}
	}
	return nil
}

// pushBackBothWays: the handler cannot write, hence does not read, and the client's writes must wait.
func pushBackBothWays(p *peer) error {
	const count = 2048
	stream, err := p.features.Hold(p.ctx)
	if err != nil {
		return err
	}
	callID := newCallID()
	note := &featurespb.Note{CallId: callID, Body: make([]byte, 64*1024)}
	if err := exchangeNote(stream, note); err != nil {
		return err
	}
	written := int32(0)
	go func() {
		for atomic.LoadInt32(&written) < count && stream.Send(note) == nil {
			atomic.AddInt32(&written, 1)
		}
		// Recv has the status if these fail.
		_ = stream.Send(&featurespb.Note{CallId: callID, Last: true})
		_ = stream.CloseSend()
	}()
	seen, err := observeStandstill(p, callID)
	if err != nil {
		return err
	}
	if got := atomic.LoadInt32(&written); !seen.Running || got >= count/2 {
		return fmt.Errorf("client: expected to stop before %d notes, got %d; %v", count/2, got, seen)
	}
	for i := 0; i <= count; i++ {
		if _, err := stream.Recv(); err != nil {
			return fmt.Errorf("echo %d of %d: %v", i+1, count+1, err)
		}
	}
	return expectEOF("Hold", func() error { _, err := stream.Recv(); return err })
}

// expectNoNewCalls: they fail with UNAVAILABLE once the server drains; how soon is its affair.
func expectNoNewCalls(p *peer) error {
	giveUp := time.Now().Add(5 * time.Second)
	for {
		_, err := p.test.EmptyCall(p.ctx, &testpb.Empty{})
		if err != nil || time.Now().After(giveUp) {
			return expectCode("EmptyCall while draining", codes.Unavailable, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func drainInFlight(p *peer) error {
	stream, err := p.features.Hold(p.ctx)
	if err != nil {
		return err
	}
	note := &featurespb.Note{CallId: newCallID(), Body: []byte("in flight")}
	if err := exchangeNote(stream, note); err != nil {
		return err
	}
	if _, err := p.features.Drain(p.ctx, &featurespb.DrainRequest{}); err != nil {
		return err
	}
	if err := withPeer(expectNoNewCalls); err != nil {
		return fmt.Errorf("new channel: %v", err)
	}
	if err := expectNoNewCalls(p); err != nil {
		return fmt.Errorf("same channel: %v", err)
	}
	for i := 0; i < 3; i++ {
		if err := exchangeNote(stream, note); err != nil {
			return err
		}
	}
	return endHold(stream, note)
}
