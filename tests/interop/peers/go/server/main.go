// grpc-go's interop server: TestService, ORCA's out-of-band service and Features.
//
//	server --port=0     prints "listening on 127.0.0.1:PORT"; SIGTERM ends it with 0
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // registers the compressor

	featurespb "weir/pb/features"
	orcapb "weir/pb/orcaservice"
	testpb "weir/pb/testing"
)

func main() {
	port := flag.Int("port", 0, "0: any free one, see the first line of output")
	useTLS := flag.Bool("use_tls", false, "must be false")
	flag.Parse()
	if *useTLS {
		fmt.Fprintln(os.Stderr, "--use_tls: expected false, got true")
		os.Exit(2)
	}

	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := grpc.NewServer(grpc.StatsHandler(&flagRecorder{}))
	load := &loadReports{}
	testpb.RegisterTestServiceServer(server, &testService{serverID: fmt.Sprintf("go-%d", os.Getpid()), load: load})
	orcapb.RegisterOpenRcaServiceServer(server, load)
	featurespb.RegisterFeaturesServer(server, &features{})
	fmt.Println("listening on", listener.Addr())

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		server.GracefulStop()
	}()
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
