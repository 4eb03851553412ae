package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"golang.org/x/sync/errgroup"
)

// As many handshakes at once as a listener of go-libp2p lets wait.
const holdAtOnce = 16

// A crowd are hosts that dial the same listener, each with a key of its own.
type crowd []*link

func (d *dialer) newCrowd(size int) (crowd, error) {
	c := make(crowd, size)
	for i := range c {
		var err error
		if c[i], err = d.newLink(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// each runs `follow` for all of them, `atOnce` at a time.
func (c crowd) each(atOnce int, follow func(*link) error) error {
	var running errgroup.Group
	running.SetLimit(atOnce)
	for _, l := range c {
		running.Go(func() error { return follow(l) })
	}
	return running.Wait()
}

func (c crowd) close() {
	for _, l := range c {
		l.close()
	}
}

func connectsCase(flags *flag.FlagSet) action {
	count := flags.Int("count", 10, "how many hosts")
	return func(ctx context.Context, d *dialer) error {
		hosts, err := d.newCrowd(*count)
		if err != nil {
			return err
		}
		defer hosts.close()
		err = hosts.each(*count, func(l *link) error {
			if err := l.connect(ctx); err != nil {
				return err
			}
			_, err := pings(ctx, l, 1)
			return err
		})
		if err != nil {
			return err
		}
		return report(map[string]any{"count": len(hosts)})
	}
}

func rateCase(flags *flag.FlagSet) action {
	seconds := flags.Float64("seconds", 5, "for how long")
	parallel := flags.Int("parallel", 4, "how many connections at a time")
	return func(ctx context.Context, d *dialer) error {
		hosts, err := d.newCrowd(*parallel)
		if err != nil {
			return err
		}
		defer hosts.close()
		var connections atomic.Int64
		began := time.Now()
		end := began.Add(time.Duration(*seconds * float64(time.Second)))
		err = hosts.each(*parallel, func(l *link) error {
			for time.Now().Before(end) {
				if err := l.handshake(ctx); err != nil {
					return err
				}
				connections.Add(1)
			}
			return nil
		})
		if err != nil {
			return err
		}
		took := time.Since(began).Seconds()
		return report(map[string]any{"connections": connections.Load(), "seconds": took})
	}
}

// handshake connects, pings and closes. Without the ping, the dialer's side could be done and closed before
// the listener has read the end of the handshake. It does not wait for identify.
func (l *link) handshake(ctx context.Context) error {
	l.host.Peerstore().AddAddrs(l.target.ID, l.target.Addrs, peerstore.PermanentAddrTTL)
	if _, err := l.host.Network().DialPeer(ctx, l.target.ID); err != nil {
		return err
	}
	s, err := l.openAgreed(ctx, ping.ID)
	if err != nil {
		return err
	}
	if err := thereAndBack(s, make([]byte, ping.PingSize)); err != nil {
		return err
	}
	return l.host.Network().ClosePeer(l.target.ID)
}

func holdCase(flags *flag.FlagSet) action {
	connections := flags.Int("connections", 0, "how many hosts")
	streams := flags.Int("streams", 0, "how many streams each")
	return func(ctx context.Context, d *dialer) error {
		hosts, err := d.newCrowd(*connections)
		if err != nil {
			return err
		}
		err = hosts.each(holdAtOnce, func(l *link) error { return l.hold(ctx, *streams) })
		if err != nil {
			return err
		}
		if err := report(map[string]any{"connections": *connections, "streams": *streams}); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			return err
		}
		return hosts.each(1, func(l *link) error {
			if l.host.Network().Connectedness(l.target.ID) != network.Connected {
				return fmt.Errorf("the connection of %s was lost", l.host.ID())
			}
			return nil
		})
	}
}

// hold connects and opens streams to `echo`, which stay.
func (l *link) hold(ctx context.Context, streams int) error {
	if err := l.connect(ctx); err != nil {
		return err
	}
	for range streams {
		s, err := l.open(ctx, served("echo"))
		if err != nil {
			return err
		}
		if err := thereAndBack(s, make([]byte, 1)); err != nil {
			return err
		}
		if err := s.SetDeadline(time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

func thereAndBack(s network.Stream, block []byte) error {
	if _, err := s.Write(block); err != nil {
		return err
	}
	_, err := io.ReadFull(s, block)
	return err
}
