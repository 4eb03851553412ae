package main

import (
	"context"
	"errors"
	"flag"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/autonatv2"
	"github.com/multiformats/go-multiaddr"
)

const (
	autonatWithin = 10 * time.Second
	// Nobody listens there.
	deadAddress = "/ip4/127.0.0.1/tcp/1"
)

var verdicts = map[network.Reachability]string{
	network.ReachabilityPublic:  "reachable",
	network.ReachabilityPrivate: "unreachable",
}

// startAutonat makes a host speak AutoNAT v2, as client and server, with loopback for the internet. What it
// dials back it dials as another host.
func (k *hostKind) startAutonat(h host.Host) (*autonatv2.AutoNAT, error) {
	caller, err := k.newHost()
	if err != nil {
		return nil, err
	}
	a, err := autonatv2.New(caller, autonatv2.AllowPrivateAddrs)
	if err != nil {
		return nil, err
	}
	return a, a.Start(h)
}

func autonatCase(flags *flag.FlagSet) action {
	otherIP := flags.Int("other-ip", 0, "1: at another IP address than the listener sees")
	dead := flags.Int("dead", 0, "1: at an address where nobody listens")
	pay := flags.Int("pay", 1, "0: send no data when that is demanded")
	return func(ctx context.Context, d *dialer) error {
		l, err := d.newLink()
		if err != nil {
			return err
		}
		defer l.close()
		a, err := d.kind.startAutonat(l.host)
		if err != nil {
			return err
		}
		defer a.Close()
		if err := l.connect(ctx); err != nil {
			return err
		}
		address, err := addressToCheck(l.host, *otherIP != 0, *dead != 0)
		if err != nil {
			return err
		}
		result, err := askOnceKnown(ctx, a, autonatv2.Request{Addr: address, SendDialData: *pay != 0})
		if err != nil {
			return err
		}
		verdict := verdicts[result.Reachability]
		if result.AllAddrsRefused {
			verdict = "refused"
		}
		return report(map[string]any{"verdict": verdict})
	}
}

// addressToCheck is where a host is to be dialed back; the listener sees it at 127.0.0.1.
func addressToCheck(h host.Host, otherIP, dead bool) (multiaddr.Multiaddr, error) {
	if dead {
		return multiaddr.NewMultiaddr(deadAddress)
	}
	at := "/ip4/127.0.0.1/tcp/0"
	if otherIP {
		at = "/ip4/127.0.0.2/tcp/0"
	}
	address, err := multiaddr.NewMultiaddr(at)
	if err != nil {
		return nil, err
	}
	if err := h.Network().Listen(address); err != nil {
		return nil, err
	}
	return h.Network().ListenAddresses()[0], nil
}

// askOnceKnown asks as soon as identify told that the listener is a server.
func askOnceKnown(ctx context.Context, a *autonatv2.AutoNAT, request autonatv2.Request) (autonatv2.Result, error) {
	var result autonatv2.Result
	err := until(ctx, autonatWithin, "the listener speaks AutoNAT v2", func() (bool, error) {
		var err error
		result, err = a.GetReachability(ctx, []autonatv2.Request{request})
		if errors.Is(err, autonatv2.ErrNoPeers) {
			return false, nil
		}
		return true, err
	})
	return result, err
}
