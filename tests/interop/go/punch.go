package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/redis/go-redis/v9"
)

// The lists of a hole-punch test, and where Redis is unless REDIS_ADDR says otherwise.
const (
	relayAddressKey   = "RELAY_TCP_ADDRESS"
	listenerKey       = "LISTEN_CLIENT_PEER_ID"
	defaultRedis      = "redis:6379"
	punchTestTimeout  = 180 * time.Second
	punchReadyTimeout = 10 * time.Second
	directTimeout     = 30 * time.Second
)

// A puncher is a host behind a NAT that is connected to a relay.
type puncher struct {
	host   host.Host
	relay  peer.AddrInfo
	at     string // the relay's address
	server *redis.Client
}

// holePunchTest is the command of that name: the app of libp2p/test-plans, hole-punch-interop. Its listener
// reserves at the relay; its dialer calls that through the relay, and pings it once they are connected
// directly.
func holePunchTest(words []string) error {
	if len(words) > 0 {
		return fmt.Errorf("hole-punch-test takes no %q: it reads environment variables", words[0])
	}
	read := variables{}
	mode := read.oneOf("MODE", "listen", "dial")
	read.oneOf("TRANSPORT", "tcp")
	server := redis.NewClient(&redis.Options{Addr: read.orElse("REDIS_ADDR", defaultRedis)})
	defer server.Close()
	if read.err != nil {
		return read.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), punchTestTimeout)
	defer cancel()
	p, err := newPuncher(ctx, server)
	if err != nil {
		return err
	}
	defer p.host.Close()
	if mode == "listen" {
		return p.listen(ctx)
	}
	return p.dial(ctx)
}

// newPuncher returns once the library is ready to punch holes: when the relay has told it its address.
func newPuncher(ctx context.Context, server *redis.Client) (*puncher, error) {
	answer, err := server.BLPop(ctx, punchTestTimeout, relayAddressKey).Result()
	if err != nil {
		return nil, fmt.Errorf("waiting for the relay's address: %w", err)
	}
	at, err := peer.AddrInfoFromString(answer[1])
	if err != nil {
		return nil, err
	}
	kind := hostKind{security: "noise", key: "ed25519", discovers: true}
	kind.more = []libp2p.Option{libp2p.EnableRelay(), libp2p.EnableHolePunching()}
	h, err := kind.newHost(listenAddresses["any"])
	if err != nil {
		return nil, err
	}
	p := &puncher{h, *at, answer[1], server}
	if err := h.Connect(ctx, *at); err != nil {
		return p, err
	}
	return p, until(ctx, punchReadyTimeout, "a public address of this host", func() (bool, error) {
		return slices.Contains(h.Mux().Protocols(), holepunch.Protocol), nil
	})
}

// listen serves until it is told to end.
func (p *puncher) listen(ctx context.Context) error {
	ended, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if _, err := client.Reserve(ctx, p.host, p.relay); err != nil {
		return err
	}
	if err := p.server.RPush(ctx, listenerKey, p.host.ID().String()).Err(); err != nil {
		return err
	}
	<-ended.Done()
	return ctx.Err()
}

func (p *puncher) dial(ctx context.Context) error {
	answer, err := p.server.BLPop(ctx, punchTestTimeout, listenerKey).Result()
	if err != nil {
		return fmt.Errorf("waiting for the listener: %w", err)
	}
	target, err := peer.AddrInfoFromString(p.at + "/p2p-circuit/p2p/" + answer[1])
	if err != nil {
		return err
	}
	if err := p.host.Connect(mayBeLimited(ctx), *target); err != nil {
		return err
	}
	err = until(ctx, directTimeout, "a direct connection", func() (bool, error) {
		return slices.ContainsFunc(p.host.Network().ConnsToPeer(target.ID), isDirect), nil
	})
	if err != nil {
		return err
	}
	// New streams are on the direct connection: the library takes circuits last.
	result := <-ping.Ping(ctx, p.host, target.ID)
	if result.Error != nil {
		return result.Error
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"rtt_to_holepunched_peer_millis": float64(result.RTT.Microseconds()) / 1000,
	})
}

func isDirect(connection network.Conn) bool { return !isCircuit(connection.RemoteMultiaddr()) }
