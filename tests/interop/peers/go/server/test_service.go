package main

import (
	"context"
	"io"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	testpb "weir/pb/testing"
)

const (
	echoInitial  = "x-grpc-test-echo-initial"
	echoTrailing = "x-grpc-test-echo-trailing-bin"
)

type testService struct {
	testpb.UnimplementedTestServiceServer
	serverID string
	load     *loadReports
}

// echoMetadata answers the metadata of custom_metadata, through whichever setters the kind of call has.
func echoMetadata(ctx context.Context, setHeader func(metadata.MD) error, setTrailer func(metadata.MD)) error {
	received, _ := metadata.FromIncomingContext(ctx)
	if values := received.Get(echoTrailing); len(values) > 0 {
		setTrailer(metadata.Pairs(echoTrailing, values[0]))
	}
	if values := received.Get(echoInitial); len(values) > 0 {
		return setHeader(metadata.Pairs(echoInitial, values[0]))
	}
	return nil
}

func echoStreamMetadata(stream grpc.ServerStream) error {
	return echoMetadata(stream.Context(), stream.SetHeader, stream.SetTrailer)
}

func askedStatus(asked *testpb.EchoStatus) error {
	return status.Error(codes.Code(asked.GetCode()), asked.GetMessage())
}

func zeros(bytes int32) *testpb.Payload { return &testpb.Payload{Body: make([]byte, bytes)} }

func (s *testService) EmptyCall(ctx context.Context, _ *testpb.Empty) (*testpb.Empty, error) {
	err := echoMetadata(ctx, func(md metadata.MD) error { return grpc.SetHeader(ctx, md) },
		func(md metadata.MD) { grpc.SetTrailer(ctx, md) })
	return &testpb.Empty{}, err
}

func (s *testService) UnaryCall(ctx context.Context, request *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	if err := echoMetadata(ctx, func(md metadata.MD) error { return grpc.SetHeader(ctx, md) },
		func(md metadata.MD) { grpc.SetTrailer(ctx, md) }); err != nil {
		return nil, err
	}
	if err := checkCompressed(ctx, request.ExpectCompressed); err != nil {
		return nil, err
	}
	if report := request.OrcaPerQueryReport; report != nil {
		grpc.SetTrailer(ctx, metadata.Pairs(loadTrailer, string(encodeReport(report))))
	}
	if err := askedStatus(request.ResponseStatus); err != nil {
		return nil, err
	}
	response := &testpb.SimpleResponse{Payload: zeros(request.ResponseSize)}
	if request.FillServerId {
		response.ServerId = s.serverID
	}
	return response, nil
}

func (s *testService) CacheableUnaryCall(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	if err := grpc.SetHeader(ctx, metadata.Pairs("cache-control", "max-age=60, public")); err != nil {
		return nil, err
	}
	now := strconv.FormatInt(time.Now().UnixNano(), 10)
	return &testpb.SimpleResponse{Payload: &testpb.Payload{Body: []byte(now)}}, nil
}

func (s *testService) StreamingInputCall(stream testpb.TestService_StreamingInputCallServer) error {
	total := 0
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&testpb.StreamingInputCallResponse{AggregatedPayloadSize: int32(total)})
		}
		if err != nil {
			return err
		}
		if err := checkCompressed(stream.Context(), request.ExpectCompressed); err != nil {
			return err
		}
		total += len(request.GetPayload().GetBody())
	}
}

type responseSender interface {
	Send(*testpb.StreamingOutputCallResponse) error
}

func (s *testService) sendResponses(request *testpb.StreamingOutputCallRequest, stream responseSender) error {
	if request.OrcaOobReport != nil {
		s.load.set(request.OrcaOobReport)
	}
	for _, parameters := range request.ResponseParameters {
		time.Sleep(time.Duration(parameters.IntervalUs) * time.Microsecond)
		if err := stream.Send(&testpb.StreamingOutputCallResponse{Payload: zeros(parameters.Size)}); err != nil {
			return err
		}
	}
	return askedStatus(request.ResponseStatus)
}

func (s *testService) StreamingOutputCall(request *testpb.StreamingOutputCallRequest,
	stream testpb.TestService_StreamingOutputCallServer) error {
	if err := echoStreamMetadata(stream); err != nil {
		return err
	}
	return s.sendResponses(request, stream)
}

func (s *testService) FullDuplexCall(stream testpb.TestService_FullDuplexCallServer) error {
	if err := echoStreamMetadata(stream); err != nil {
		return err
	}
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.sendResponses(request, stream); err != nil {
			return err
		}
	}
}

func (s *testService) HalfDuplexCall(stream testpb.TestService_HalfDuplexCallServer) error {
	var requests []*testpb.StreamingOutputCallRequest
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		requests = append(requests, request)
	}
	for _, request := range requests {
		if err := s.sendResponses(request, stream); err != nil {
			return err
		}
	}
	return nil
}
