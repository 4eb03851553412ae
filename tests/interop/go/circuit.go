package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/multiformats/go-multiaddr"
)

// mayBeLimited lets a context's dials and streams take a circuit that its relay will cut.
func mayBeLimited(ctx context.Context) context.Context {
	return network.WithAllowLimitedConn(ctx, "circuits are what is looked at")
}

// isCircuit tells whether an address leads through a relay.
func isCircuit(address multiaddr.Multiaddr) bool {
	_, err := address.ValueForProtocol(multiaddr.P_CIRCUIT)
	return err == nil
}

// listenThrough reserves at a relay, and serves what comes in through it until standard input ends. The
// library checks the voucher's signature and that it is this host's.
func listenThrough(h host.Host, address string) error {
	at, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	defer cancel()
	if err := h.Connect(ctx, *at); err != nil {
		return err
	}
	reservation, err := client.Reserve(ctx, h, *at)
	if err != nil {
		return err
	}
	return reportAndWait(map[string]any{
		"id":          h.ID().String(),
		"addresses":   []string{fmt.Sprintf("%s/p2p-circuit/p2p/%s", address, h.ID())},
		"reservation": described(reservation),
	})
}

func described(reservation *client.Reservation) map[string]any {
	told := map[string]any{
		"expires_in_s":  time.Until(reservation.Expiration).Seconds(),
		"addresses":     reservation.Addrs,
		"limit_seconds": reservation.LimitDuration.Seconds(),
		"limit_bytes":   reservation.LimitData,
	}
	if voucher := reservation.Voucher; voucher != nil {
		told["voucher"] = map[string]any{
			"relay":        voucher.Relay.String(),
			"peer":         voucher.Peer.String(),
			"expires_in_s": time.Until(voucher.Expiration).Seconds(),
		}
	}
	return told
}

func circuitCase(flags *flag.FlagSet) action {
	size := flags.Int64("bytes", 1<<10, "how many bytes")
	patience := flags.Int64("patience", 0, "how many seconds to wait for the end of the connection")
	return connected(func(ctx context.Context, l *link) (any, error) {
		connection := l.host.Network().ConnsToPeer(l.target.ID)[0]
		facts := connection.Stat()
		seen := map[string]any{"limited": facts.Limited}
		if facts.Limited {
			seen["limit_seconds"] = facts.Extra[client.StatLimitDuration].(time.Duration).Seconds()
			seen["limit_bytes"] = facts.Extra[client.StatLimitData]
			_, err := connection.NewStream(ctx)
			if !errors.Is(err, network.ErrLimitedConn) {
				return nil, fmt.Errorf("a stream that may not be on a limited connection: %w", err)
			}
		}
		came, err := cameBack(ctx, l, *size)
		if err != nil {
			return nil, err
		}
		seen["bytes"] = came
		began := time.Now()
		for !connection.IsClosed() && time.Since(began) < time.Duration(*patience)*time.Second {
			time.Sleep(pollEvery)
		}
		seen["ended"] = connection.IsClosed()
		seen["seconds"] = time.Since(facts.Opened).Seconds()
		return seen, nil
	})
}

// cameBack is how many of so many bytes an echo gives back before it is cut.
func cameBack(ctx context.Context, l *link, size int64) (int64, error) {
	s, err := l.open(ctx, served("echo"))
	if err != nil {
		return 0, err
	}
	defer s.Reset()
	go func() {
		if _, err := io.Copy(s, pseudoRandom(size)); err == nil {
			s.CloseWrite()
		}
	}()
	count, _ := io.Copy(io.Discard, s)
	return count, nil
}
