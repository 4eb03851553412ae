package main

import (
	"context"
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
)

const (
	punchTestTimeout  = 180 * time.Second
	punchReadyTimeout = 10 * time.Second
	directTimeout     = 30 * time.Second
)

// A puncher is a host behind a NAT that is connected to a relay.
type puncher struct {
	*punchRun
	host  host.Host
	relay peer.AddrInfo
	at    string // the relay's address
}

// holePunchTest is the command of that name: the app of libp2p/test-plans, hole-punch-interop, and of
// libp2p/unified-testing, hole-punch. Its listener reserves at the relay; its dialer calls that through the
// relay, and pings it once they are connected directly.
func holePunchTest(words []string) error {
	if len(words) > 0 {
		return fmt.Errorf("hole-punch-test takes no %q: it reads environment variables", words[0])
	}
	run, err := readPunchRun()
	if err != nil {
		return err
	}
	defer run.server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), punchTestTimeout)
	defer cancel()
	p, err := newPuncher(ctx, run)
	if err != nil {
		return err
	}
	defer p.host.Close()
	if run.isDialer {
		return p.dial(ctx)
	}
	return p.listen(ctx)
}

// newPuncher returns once the library is ready to punch holes: when the relay has told it its address.
func newPuncher(ctx context.Context, run *punchRun) (*puncher, error) {
	address, err := run.told(ctx, run.relayKey)
	if err != nil {
		return nil, fmt.Errorf("waiting for the relay's address: %w", err)
	}
	at, err := peer.AddrInfoFromString(address)
	if err != nil {
		return nil, err
	}
	kind := hostKind{security: run.security, key: "ed25519", discovers: true}
	kind.more = []libp2p.Option{libp2p.EnableRelay(), libp2p.EnableHolePunching()}
	h, err := kind.newHost(listenAddresses["any"])
	if err != nil {
		return nil, err
	}
	p := &puncher{run, h, *at, address}
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
	if err := p.tell(ctx, p.listenerKey, p.host.ID().String()); err != nil {
		return err
	}
	<-ended.Done()
	return ctx.Err()
}

func (p *puncher) dial(ctx context.Context) error {
	id, err := p.told(ctx, p.listenerKey)
	if err != nil {
		return fmt.Errorf("waiting for the listener: %w", err)
	}
	target, err := peer.AddrInfoFromString(p.at + "/p2p-circuit/p2p/" + id)
	if err != nil {
		return err
	}
	began := time.Now()
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
	return p.print(time.Since(began), result.RTT)
}

func isDirect(connection network.Conn) bool { return !isCircuit(connection.RemoteMultiaddr()) }
