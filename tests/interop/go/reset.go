package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

const resetTimeout = 5 * time.Second

func resetCase(*flag.FlagSet) action {
	return connected(func(ctx context.Context, l *link) (any, error) {
		if err := seeReset(ctx, l); err != nil {
			return nil, err
		}
		if err := meetFate(ctx, l, "reset", network.Stream.Reset); err != nil {
			return nil, err
		}
		if err := meetFate(ctx, l, "eof", network.Stream.Close); err != nil {
			return nil, err
		}
		return map[string]any{"saw": "reset"}, nil
	})
}

// seeReset has the listener reset a stream.
func seeReset(ctx context.Context, l *link) error {
	ctx, cancel := context.WithTimeout(ctx, resetTimeout)
	defer cancel()
	s, err := l.open(ctx, served("reset"))
	if err != nil {
		return err
	}
	defer s.Reset()
	if _, err := s.Write([]byte{1}); err != nil {
		return err
	}
	if n, err := s.Read(make([]byte, 1)); !wasReset(err) {
		return fmt.Errorf("reading from a stream that was reset gave %d bytes and %v", n, err)
	}
	return nil
}

// meetFate ends a stream in some way, of which the listener must have seen the right thing.
func meetFate(ctx context.Context, l *link, fate string, end func(network.Stream) error) error {
	s, err := l.openAgreed(ctx, served("fate"))
	if err != nil {
		return err
	}
	if _, err := s.Write(make([]byte, streamBytes)); err != nil {
		return err
	}
	if err := end(s); err != nil {
		return err
	}
	return until(ctx, resetTimeout, "the listener's last fate is "+fate, func() (bool, error) {
		last, err := l.answer(ctx, served("last-fate"))
		return string(last) == fate, err
	})
}
