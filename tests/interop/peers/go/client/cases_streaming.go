package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"

	testpb "weir/pb/testing"
)

var (
	requestSizes  = []int{27182, 8, 1828, 45904}
	responseSizes = []int{31415, 9, 2653, 58979}
)

func clientStreaming(p *peer) error {
	stream, err := p.test.StreamingInputCall(p.ctx)
	if err != nil {
		return err
	}
	for _, size := range requestSizes {
		if err := stream.Send(&testpb.StreamingInputCallRequest{Payload: zeros(size)}); err != nil {
			return err
		}
	}
	reply, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	if reply.AggregatedPayloadSize != 74922 {
		return fmt.Errorf("aggregated payload size: expected 74922, got %d", reply.AggregatedPayloadSize)
	}
	return nil
}

func serverStreaming(p *peer) error {
	request := &testpb.StreamingOutputCallRequest{}
	for _, size := range responseSizes {
		request.ResponseParameters = append(request.ResponseParameters, &testpb.ResponseParameters{Size: int32(size)})
	}
	stream, err := p.test.StreamingOutputCall(p.ctx, request)
	if err != nil {
		return err
	}
	for _, size := range responseSizes {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := expectSize("StreamingOutputCall response", size, response.Payload); err != nil {
			return err
		}
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("StreamingOutputCall: expected the end, got %v", err)
	}
	return nil
}

// exchange sends one request and takes its one response.
func exchange(stream testpb.TestService_FullDuplexCallClient, requestBytes, responseBytes int) error {
	request := &testpb.StreamingOutputCallRequest{
		ResponseParameters: []*testpb.ResponseParameters{{Size: int32(responseBytes)}},
		Payload:            zeros(requestBytes),
	}
	if err := stream.Send(request); err != nil {
		return err
	}
	response, err := stream.Recv()
	if err != nil {
		return err
	}
	return expectSize("FullDuplexCall response", responseBytes, response.Payload)
}

// expectEnd half-closes a stream whose server then ends it with OK and without another message.
func expectEnd(stream testpb.TestService_FullDuplexCallClient) error {
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("FullDuplexCall: expected the end, got %v", err)
	}
	return nil
}

func pingPong(p *peer) error {
	stream, err := p.test.FullDuplexCall(p.ctx)
	if err != nil {
		return err
	}
	for i := range requestSizes {
		if err := exchange(stream, requestSizes[i], responseSizes[i]); err != nil {
			return err
		}
	}
	return expectEnd(stream)
}

func emptyStream(p *peer) error {
	stream, err := p.test.FullDuplexCall(p.ctx)
	if err != nil {
		return err
	}
	return expectEnd(stream)
}

func cancelAfterBegin(p *peer) error {
	ctx, cancel := context.WithCancel(p.ctx)
	stream, err := p.test.StreamingInputCall(ctx)
	if err != nil {
		cancel()
		return err
	}
	cancel()
	_, err = stream.CloseAndRecv()
	return expectCode("StreamingInputCall", codes.Canceled, err)
}

func cancelAfterFirstResponse(p *peer) error {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	stream, err := p.test.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	if err := exchange(stream, 27182, 31415); err != nil {
		return err
	}
	cancel()
	_, err = stream.Recv()
	return expectCode("FullDuplexCall", codes.Canceled, err)
}

func timeoutOnSleepingServer(p *peer) error {
	ctx, cancel := context.WithTimeout(p.ctx, time.Millisecond)
	defer cancel()
	stream, err := p.test.FullDuplexCall(ctx)
	if err == nil {
		// May come too late already: Recv has the status.
		_ = stream.Send(&testpb.StreamingOutputCallRequest{Payload: zeros(27182)})
		_, err = stream.Recv()
	}
	return expectCode("FullDuplexCall", codes.DeadlineExceeded, err)
}
