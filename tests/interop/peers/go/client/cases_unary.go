package main

import (
	"errors"
	"fmt"

	"github.com/golang/protobuf/proto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	testpb "weir/pb/testing"
)

const (
	echoInitial       = "x-grpc-test-echo-initial"
	echoInitialValue  = "test_initial_metadata_value"
	echoTrailing      = "x-grpc-test-echo-trailing-bin"
	echoTrailingValue = "\xab\xab\xab"
)

func emptyUnary(p *peer) error {
	reply, err := p.test.EmptyCall(p.ctx, &testpb.Empty{})
	if err != nil {
		return err
	}
	if size := proto.Size(reply); size != 0 {
		return fmt.Errorf("EmptyCall reply: expected 0 bytes, got %d", size)
	}
	return nil
}

func cacheableUnary(p *peer) error {
	ctx := metadata.AppendToOutgoingContext(p.ctx, "x-user-ip", "1.2.3.4")
	var header metadata.MD
	request := &testpb.SimpleRequest{Payload: &testpb.Payload{Body: []byte("1234567890")}}
	response, err := p.test.CacheableUnaryCall(ctx, request, grpc.Header(&header))
	if err != nil {
		return err
	}
	if len(response.GetPayload().GetBody()) == 0 {
		return errors.New("CacheableUnaryCall: expected a payload, got none")
	}
	return expectValue("CacheableUnaryCall initial metadata", header, "cache-control", "max-age=60, public")
}

func largeUnary(p *peer) error { return expectLarge(p.test.UnaryCall(p.ctx, largeRequest())) }

func customMetadata(p *peer) error {
	ctx := metadata.AppendToOutgoingContext(p.ctx, echoInitial, echoInitialValue, echoTrailing, echoTrailingValue)
	var header, trailer metadata.MD
	if err := expectLarge(p.test.UnaryCall(ctx, largeRequest(), grpc.Header(&header), grpc.Trailer(&trailer))); err != nil {
		return err
	}
	if err := expectEcho("UnaryCall", header, trailer); err != nil {
		return err
	}
	stream, err := p.test.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	if err := exchange(stream, 271828, 314159); err != nil {
		return err
	}
	if err := expectEnd(stream); err != nil {
		return err
	}
	if header, err = stream.Header(); err != nil {
		return err
	}
	return expectEcho("FullDuplexCall", header, stream.Trailer())
}

func expectEcho(what string, header, trailer metadata.MD) error {
	if err := expectValue(what+" initial metadata", header, echoInitial, echoInitialValue); err != nil {
		return err
	}
	return expectValue(what+" trailing metadata", trailer, echoTrailing, echoTrailingValue)
}

func statusCodeAndMessage(p *peer) error {
	asked := &testpb.EchoStatus{Code: int32(codes.Unknown), Message: "test status message"}
	_, err := p.test.UnaryCall(p.ctx, &testpb.SimpleRequest{ResponseStatus: asked})
	if err := expectStatus("UnaryCall", codes.Unknown, asked.Message, err); err != nil {
		return err
	}
	stream, err := p.test.FullDuplexCall(p.ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(&testpb.StreamingOutputCallRequest{ResponseStatus: asked}); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	_, err = stream.Recv()
	return expectStatus("FullDuplexCall", codes.Unknown, asked.Message, err)
}

func specialStatusMessage(p *peer) error {
	const message = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n"
	asked := &testpb.EchoStatus{Code: int32(codes.Unknown), Message: message}
	_, err := p.test.UnaryCall(p.ctx, &testpb.SimpleRequest{ResponseStatus: asked})
	return expectStatus("UnaryCall", codes.Unknown, message, err)
}

func unimplementedMethod(p *peer) error {
	_, err := p.test.UnimplementedCall(p.ctx, &testpb.Empty{})
	return expectCode("TestService/UnimplementedCall", codes.Unimplemented, err)
}

func unimplementedService(p *peer) error {
	_, err := p.unimplemented.UnimplementedCall(p.ctx, &testpb.Empty{})
	return expectCode("UnimplementedService/UnimplementedCall", codes.Unimplemented, err)
}

func pickFirstUnary(p *peer) error {
	id := ""
	for i := 0; i < 20; i++ {
		request := &testpb.SimpleRequest{ResponseSize: 1, Payload: zeros(1), FillServerId: true}
		response, err := p.test.UnaryCall(p.ctx, request)
		if err != nil {
			return err
		}
		if i == 0 {
			id = response.ServerId
		}
		if response.ServerId == "" || response.ServerId != id {
			return fmt.Errorf("call %d: expected server id %q and not empty, got %q", i+1, id, response.ServerId)
		}
	}
	return nil
}

func concurrentLargeUnary(p *peer) error {
	results := make(chan error, *streamsCount)
	for i := 0; i < *streamsCount; i++ {
		go func() { results <- expectLarge(p.test.UnaryCall(p.ctx, largeRequest())) }()
	}
	for i := 0; i < *streamsCount; i++ {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}

func veryLargeRequest(p *peer) error {
	request := largeRequest()
	request.Payload = zeros(4000000)
	return expectLarge(p.test.UnaryCall(p.ctx, request))
}
