package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The negative HTTP/2 cases, against tools/http2_server.py, which checks its half. Names and checks as in cases/http2.cc.

func patientCall(p *peer) error {
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	return expectLarge(p.test.UnaryCall(ctx, largeRequest()))
}

func twoCalls(p *peer) error {
	if err := patientCall(p); err != nil {
		return err
	}
	return patientCall(p)
}

// expectReset: the call fails, and not by our deadline.
func expectReset(p *peer) error {
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	_, err := p.test.UnaryCall(ctx, largeRequest())
	if err == nil || status.Code(err) == codes.DeadlineExceeded {
		return fmt.Errorf("UnaryCall: expected to fail at once, got %v", err)
	}
	return nil
}

func maxStreams(p *peer) error {
	if err := patientCall(p); err != nil {
		return err
	}
	results := make(chan error, 10)
	for i := 0; i < cap(results); i++ {
		go func() { results <- patientCall(p) }()
	}
	for i := 0; i < cap(results); i++ {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}
