package main

import (
	"context"
	"fmt"
	"math/rand"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	featurespb "weir/pb/features"
	testpb "weir/pb/testing"
)

func newCallID() string {
	return fmt.Sprintf("call-%x", rand.New(rand.NewSource(time.Now().UnixNano())).Int63())
}

func halfDuplex(p *peer) error {
	stream, err := p.test.HalfDuplexCall(p.ctx)
	if err != nil {
		return err
	}
	for _, size := range responseSizes {
		request := &testpb.StreamingOutputCallRequest{ResponseParameters: []*testpb.ResponseParameters{{Size: int32(size)}}}
		if err := stream.Send(request); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for _, size := range responseSizes {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := expectSize("HalfDuplexCall response", size, response.Payload); err != nil {
			return err
		}
	}
	return expectEOF("HalfDuplexCall", func() error { _, err := stream.Recv(); return err })
}

func deadlineSeenByServer(p *peer) error {
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	reply, err := p.features.Inspect(ctx, &featurespb.InspectRequest{})
	if err != nil {
		return err
	}
	if left := reply.RemainingMs; left <= 15000 || left > 20100 {
		return fmt.Errorf("time left at the server: expected 15000 to 20100 ms, got %d", left)
	}
	if reply, err = p.features.Inspect(p.ctx, &featurespb.InspectRequest{}); err != nil {
		return err
	}
	if reply.RemainingMs != -1 {
		return fmt.Errorf("time left at the server: expected -1 (no deadline), got %d", reply.RemainingMs)
	}
	return nil
}

// exchangeNote sends a note and expects its echo.
func exchangeNote(stream featurespb.Features_HoldClient, note *featurespb.Note) error {
	if err := stream.Send(note); err != nil {
		return err
	}
	echo, err := stream.Recv()
	if err != nil {
		return fmt.Errorf("expected an echo, got %v", err)
	}
	if string(echo.Body) != string(note.Body) {
		return fmt.Errorf("echo: expected %q, got %q", note.Body, echo.Body)
	}
	return nil
}

// observe asks until `holds`, or for ten seconds.
func observe(p *peer, callID string, holds func(*featurespb.Observation) bool) (*featurespb.Observation, error) {
	giveUp := time.Now().Add(10 * time.Second)
	for {
		seen, err := p.features.Observe(p.ctx, &featurespb.ObserveRequest{CallId: callID})
		if err != nil || holds(seen) || time.Now().After(giveUp) {
			return seen, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// expectCancelled opens a Hold, has `ctx` end it, and looks at both ends.
func expectCancelled(p *peer, ctx context.Context, cancel func(), code codes.Code) error {
	stream, err := p.features.Hold(ctx)
	if err != nil {
		return err
	}
	callID := newCallID()
	if err := exchangeNote(stream, &featurespb.Note{CallId: callID}); err != nil {
		return err
	}
	cancel()
	_, err = stream.Recv()
	if err := expectCode("Hold", code, err); err != nil {
		return err
	}
	seen, err := observe(p, callID, func(seen *featurespb.Observation) bool { return seen.Known && !seen.Running })
	if err != nil {
		return err
	}
	if seen.Running || !seen.Cancelled {
		return fmt.Errorf("handler: expected to have ended cancelled, got %v", seen)
	}
	return nil
}

func deadlineCancelsHandler(p *peer) error {
	ctx, cancel := context.WithTimeout(p.ctx, 300*time.Millisecond)
	defer cancel()
	return expectCancelled(p, ctx, func() {}, codes.DeadlineExceeded)
}

func cancelSeenByHandler(p *peer) error {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	return expectCancelled(p, ctx, cancel, codes.Canceled)
}

func expectAskedStatus(p *peer, code codes.Code, message string) error {
	_, err := p.features.Inspect(p.ctx, &featurespb.InspectRequest{Code: int32(code), Message: message})
	return expectStatus("Inspect", code, message, err)
}

func allStatusCodes(p *peer) error {
	for code := codes.Code(1); code <= 16; code++ {
		if err := expectAskedStatus(p, code, fmt.Sprintf("this is code %d", code)); err != nil {
			return err
		}
	}
	return nil
}

func unicodeStatus(p *peer) error {
	for _, message := range []string{
		"",
		"100% sure, %41 is no A, and % neither %zz",
		"Gr\u00fc\u00dfe aus \u6771\u4eac \U0001F608 \u05e9\u05dc\u05d5\u05dd",
		"control \x01\x1f\x7f and \ttab\r\nline",
		strings.Repeat(".", 3000) + "\u263a",
	} {
		if err := expectAskedStatus(p, codes.FailedPrecondition, message); err != nil {
			return err
		}
	}
	// Spaces around the text may be dropped: see UnicodeStatus in cases/feature_calls.cc.
	_, err := p.features.Inspect(p.ctx, &featurespb.InspectRequest{Code: 10, Message: "  space around  "})
	if got := status.Convert(err); got.Code() != codes.Aborted || strings.TrimSpace(got.Message()) != "space around" {
		return fmt.Errorf("Inspect: expected ABORTED \"space around\", got %v", err)
	}
	return nil
}

func statusWhileWriting(p *peer) error {
	stream, err := p.test.FullDuplexCall(p.ctx)
	if err != nil {
		return err
	}
	asked := &testpb.EchoStatus{Code: int32(codes.NotFound), Message: "stop writing"}
	if err := stream.Send(&testpb.StreamingOutputCallRequest{ResponseStatus: asked}); err != nil {
		return err
	}
	const mostWrites = 100000 // 1 GB: far more than any window
	writes := 0
	for writes < mostWrites && stream.Send(&testpb.StreamingOutputCallRequest{Payload: zeros(10000)}) == nil {
		writes++
	}
	if writes == mostWrites {
		return fmt.Errorf("expected a write to fail after the end, got %d that did not", writes)
	}
	_, err = stream.Recv()
	return expectStatus("FullDuplexCall", codes.NotFound, "stop writing", err)
}

// Duplicate keys, every byte, no byte, a comma, and the size of a large cookie, as in cases/feature_calls.cc.
func interestingMetadata() metadata.MD {
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	return metadata.Pairs(
		"x-many", "first", "x-many", "second, with comma", "x-many", "third",
		"x-many-bin", string(everyByte), "x-many-bin", "\x00", "x-many-bin", "\xff\xfe",
		"x-punctuation", "a b!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~",
		"x-large", strings.Repeat("m", 4000), "x-empty-bin", "", "x-digits_and.dots-1", "1")
}

func expectInteresting(what string, got metadata.MD) error {
	for key, values := range interestingMetadata() {
		if fmt.Sprintf("%q", got.Get(key)) != fmt.Sprintf("%q", values) {
			return fmt.Errorf("%s %s: expected %q, got %q", what, key, values, got.Get(key))
		}
	}
	return nil
}

func interestingPairs() []*featurespb.Pair {
	var pairs []*featurespb.Pair
	for key, values := range interestingMetadata() {
		for _, value := range values {
			pairs = append(pairs, &featurespb.Pair{Key: key, Value: []byte(value)})
		}
	}
	return pairs
}

func metadataToServer(p *peer) error {
	reply, err := p.features.Inspect(metadata.NewOutgoingContext(p.ctx, interestingMetadata()), &featurespb.InspectRequest{})
	if err != nil {
		return err
	}
	seen := metadata.MD{}
	for _, pair := range reply.Metadata {
		seen.Append(pair.Key, string(pair.Value))
	}
	return expectInteresting("metadata at the server", seen)
}

func metadataToClient(p *peer) error {
	var header, trailer metadata.MD
	request := &featurespb.InspectRequest{Initial: interestingPairs(), Trailing: interestingPairs()}
	if _, err := p.features.Inspect(p.ctx, request, grpc.Header(&header), grpc.Trailer(&trailer)); err != nil {
		return err
	}
	if err := expectInteresting("initial metadata at the client", header); err != nil {
		return err
	}
	return expectInteresting("trailing metadata at the client", trailer)
}

func metadataWithError(p *peer) error {
	var trailer metadata.MD
	request := &featurespb.InspectRequest{Code: 10, Message: "with metadata", Trailing: interestingPairs()}
	_, err := p.features.Inspect(p.ctx, request, grpc.Trailer(&trailer))
	if err := expectStatus("Inspect", codes.Aborted, "with metadata", err); err != nil {
		return err
	}
	return expectInteresting("trailing metadata at the client", trailer)
}
