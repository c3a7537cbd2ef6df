package main

import (
	"sync"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/golang/protobuf/ptypes"

	orcadata "weir/pb/orcadata"
	orcapb "weir/pb/orcaservice"
	testpb "weir/pb/testing"
)

const loadTrailer = "endpoint-load-metrics-bin" // gRFC A51: the report of one call, in its trailers

func toLoadReport(report *testpb.TestOrcaReport) *orcadata.OrcaLoadReport {
	return &orcadata.OrcaLoadReport{
		CpuUtilization: report.CpuUtilization,
		MemUtilization: report.MemoryUtilization,
		RequestCost:    report.RequestCost,
		Utilization:    report.Utilization,
	}
}

func encodeReport(report *testpb.TestOrcaReport) []byte {
	bytes, err := proto.Marshal(toLoadReport(report))
	if err != nil {
		panic(err) // a message of numbers and of keys that came as one
	}
	return bytes
}

// loadReports is the out-of-band service, and what it reports.
type loadReports struct {
	mutex   sync.Mutex
	current orcadata.OrcaLoadReport
}

func (l *loadReports) set(report *testpb.TestOrcaReport) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.current = *toLoadReport(report)
}

func (l *loadReports) get() *orcadata.OrcaLoadReport {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return proto.Clone(&l.current).(*orcadata.OrcaLoadReport)
}

func (l *loadReports) StreamCoreMetrics(request *orcapb.OrcaLoadReportRequest,
	stream orcapb.OpenRcaService_StreamCoreMetricsServer) error {
	interval, err := ptypes.Duration(request.ReportInterval)
	if err != nil || interval < 10*time.Millisecond {
		interval = 10 * time.Millisecond
	}
	for {
		if err := stream.Send(l.get()); err != nil {
			return err
		}
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-time.After(interval):
		}
	}
}
