package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/redis/go-redis/v9"
)

// transportTest is the command of that name: the app of the transport test of libp2p/unified-testing. Its
// listener tells the dialer its address by a list in Redis.
func transportTest(words []string) error {
	if len(words) > 0 {
		return fmt.Errorf("transport-test takes no %q: it reads environment variables", words[0])
	}
	e, err := readEnvironment()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), e.timeout)
	defer cancel()
	server := redis.NewClient(&redis.Options{Addr: e.redisAddress})
	defer server.Close()
	if e.isDialer {
		return e.dial(ctx, server)
	}
	return e.listen(ctx, server)
}

func (e *environment) dial(ctx context.Context, server *redis.Client) error {
	answer, err := server.BLPop(ctx, e.timeout, e.redisKey).Result()
	if err != nil {
		return fmt.Errorf("waiting for the listener's address: %w", err)
	}
	// The name of the list, and the value.
	target, err := peer.AddrInfoFromString(answer[1])
	if err != nil {
		return err
	}
	d := dialer{kind: e.hostKind(), target: target}
	l, err := d.newLink()
	if err != nil {
		return err
	}
	defer l.close()
	began := time.Now()
	if err := l.connect(ctx); err != nil {
		return err
	}
	times, err := pings(ctx, l, 1)
	if err != nil {
		return err
	}
	return printLatency(milliseconds(time.Since(began)), times[0])
}

func milliseconds(took time.Duration) float64 { return float64(took.Microseconds()) / 1000 }

// printLatency prints the result of a dialer as libp2p/unified-testing has it.
func printLatency(handshakePlusPing, ping float64) error {
	_, err := fmt.Printf(
		"latency:\n  handshake_plus_one_rtt: %.3f\n  ping_rtt: %.3f\n  unit: ms\n", handshakePlusPing, ping)
	return err
}

// listen serves until it is told to end.
func (e *environment) listen(ctx context.Context, server *redis.Client) error {
	ended, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	address, err := manet.FromIP(e.listenerIP)
	if err != nil {
		return err
	}
	kind := e.hostKind()
	h, err := kind.newHost(address.String() + "/tcp/0")
	if err != nil {
		return err
	}
	defer h.Close()
	dialable := fmt.Sprintf("%s/p2p/%s", notLoopback(h.Addrs()), h.ID())
	if err := server.RPush(ctx, e.redisKey, dialable).Err(); err != nil {
		return err
	}
	<-ended.Done()
	if ctx.Err() != nil {
		return errors.New("the run did not end in time")
	}
	return nil
}

func (e *environment) hostKind() hostKind { return hostKind{security: e.security, key: "ed25519"} }

// notLoopback is the first such address, or the first of all where there is no such.
func notLoopback(addresses []multiaddr.Multiaddr) multiaddr.Multiaddr {
	for _, address := range addresses {
		if !manet.IsIPLoopback(address) {
			return address
		}
	}
	return addresses[0]
}
