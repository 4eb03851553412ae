package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
)

func pingCase(flags *flag.FlagSet) action {
	count := flags.Int("count", 5, "how many pings")
	return connected(func(ctx context.Context, l *link) (any, error) {
		times, err := pings(ctx, l, *count)
		return map[string]any{"rtts_ms": times}, err
	})
}

// pings are so many round trips on one stream, each in milliseconds.
func pings(ctx context.Context, l *link, count int) ([]float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	times := []float64{}
	results := ping.Ping(ctx, l.host, l.target.ID)
	for len(times) < count {
		result, open := <-results
		if !open {
			return nil, errors.New("the pings ended early")
		}
		if result.Error != nil {
			return nil, fmt.Errorf("ping %d: %w", len(times)+1, result.Error)
		}
		times = append(times, float64(result.RTT.Microseconds())/1000)
	}
	return times, nil
}
