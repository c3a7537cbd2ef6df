package main

import (
	"context"
	"fmt"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/golang/protobuf/ptypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	orcadata "weir/pb/orcadata"
	orcapb "weir/pb/orcaservice"
	testpb "weir/pb/testing"
)

const loadTrailer = "endpoint-load-metrics-bin"

func orcaPerRPC(p *peer) error {
	request := &testpb.SimpleRequest{OrcaPerQueryReport: &testpb.TestOrcaReport{
		CpuUtilization: 0.8210, MemoryUtilization: 0.5847,
		RequestCost: map[string]float64{"cost": 3456.32}, Utilization: map[string]float64{"util": 0.30499},
	}}
	expected := &orcadata.OrcaLoadReport{
		CpuUtilization: 0.8210, MemUtilization: 0.5847,
		RequestCost: map[string]float64{"cost": 3456.32}, Utilization: map[string]float64{"util": 0.30499},
	}
	var trailer metadata.MD
	if _, err := p.test.UnaryCall(p.ctx, request, grpc.Trailer(&trailer)); err != nil {
		return err
	}
	values := trailer.Get(loadTrailer)
	if len(values) != 1 {
		return fmt.Errorf("%s: expected one value, got %q", loadTrailer, values)
	}
	got := &orcadata.OrcaLoadReport{}
	if err := proto.Unmarshal([]byte(values[0]), got); err != nil {
		return err
	}
	if !proto.Equal(got, expected) {
		return fmt.Errorf("%s: expected %v, got %v", loadTrailer, expected, got)
	}
	return nil
}

func orcaOOB(p *peer) error {
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	reports, err := p.orca.StreamCoreMetrics(ctx,
		&orcapb.OrcaLoadReportRequest{ReportInterval: ptypes.DurationProto(50 * time.Millisecond)})
	if err != nil {
		return err
	}
	stream, err := p.test.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	for _, report := range []*testpb.TestOrcaReport{
		{CpuUtilization: 0.8210, MemoryUtilization: 0.5847, Utilization: map[string]float64{"util": 0.30499}},
		{CpuUtilization: 0.29309, MemoryUtilization: 0.2, Utilization: map[string]float64{"util": 0.2039}},
	} {
		request := &testpb.StreamingOutputCallRequest{
			OrcaOobReport: report, ResponseParameters: []*testpb.ResponseParameters{{Size: 1}}}
		if err := stream.Send(request); err != nil {
			return err
		}
		if _, err := stream.Recv(); err != nil {
			return err
		}
		if err := awaitReport(reports, report); err != nil {
			return err
		}
	}
	return expectEnd(stream)
}

// awaitReport reads until the wanted report comes; the deadline of the call ends the wait.
func awaitReport(reports orcapb.OpenRcaService_StreamCoreMetricsClient, wanted *testpb.TestOrcaReport) error {
	expected := &orcadata.OrcaLoadReport{
		CpuUtilization: wanted.CpuUtilization, MemUtilization: wanted.MemoryUtilization, Utilization: wanted.Utilization}
	for {
		got, err := reports.Recv()
		if err != nil {
			return fmt.Errorf("expected the report %v in time, got %v", expected, err)
		}
		if proto.Equal(got, expected) {
			return nil
		}
	}
}
