package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	testpb "weir/pb/testing"
)

var (
	soakIterations   = flag.Int("soak_iterations", 10, "calls of the soak cases")
	soakMaxFailures  = flag.Int("soak_max_failures", 0, "how many of them may fail")
	soakLatency      = flag.Int("soak_per_iteration_max_acceptable_latency_ms", 1000, "a slower call is a failure")
	soakTimeout      = flag.Int("soak_overall_timeout_seconds", 10, "for all calls of a soak case together")
	soakInterval     = flag.Int("soak_min_time_ms_between_rpcs", 0, "from the start of one call to that of the next")
	soakRequestSize  = flag.Int("soak_request_size", 271828, "bytes of payload up")
	soakResponseSize = flag.Int("soak_response_size", 314159, "bytes of payload down")
	longLivedSeconds = flag.Int("iteration_interval", 10, "seconds between the calls of long_lived_channel")
)

func soakCall(p *peer) error {
	ctx, cancel := context.WithTimeout(p.ctx, time.Duration(*soakTimeout)*time.Second)
	defer cancel()
	start := time.Now()
	request := &testpb.SimpleRequest{ResponseSize: int32(*soakResponseSize), Payload: zeros(*soakRequestSize)}
	response, err := p.test.UnaryCall(ctx, request)
	if err != nil {
		return err
	}
	if latency := time.Since(start); latency > time.Duration(*soakLatency)*time.Millisecond {
		return fmt.Errorf("latency: expected at most %d ms, got %v", *soakLatency, latency)
	}
	return expectSize("UnaryCall response", *soakResponseSize, response.Payload)
}

func soak(interval time.Duration, call func() error) error {
	failures := 0
	giveUp := time.Now().Add(time.Duration(*soakTimeout) * time.Second)
	for i := 0; i < *soakIterations; i++ {
		start := time.Now()
		if start.After(giveUp) {
			return fmt.Errorf("expected %d iterations in time, got %d", *soakIterations, i)
		}
		if err := call(); err != nil {
			failures++
			if failures > *soakMaxFailures {
				return fmt.Errorf("iteration %d: failure %d of at most %d: %v", i+1, failures, *soakMaxFailures, err)
			}
		}
		time.Sleep(interval - time.Since(start))
	}
	return nil
}

func soakMinInterval() time.Duration { return time.Duration(*soakInterval) * time.Millisecond }

func rpcSoak(p *peer) error { return soak(soakMinInterval(), func() error { return soakCall(p) }) }

func channelSoak(*peer) error {
	return soak(soakMinInterval(), func() error { return withPeer(soakCall) })
}

func longLivedChannel(p *peer) error {
	return soak(time.Duration(*longLivedSeconds)*time.Second, func() error { return soakCall(p) })
}
