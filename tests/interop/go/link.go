package main

import (
	"context"
	"io"
	"slices"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
)

// A link is a host of the dialer, and its connection to the listener.
type link struct {
	host   host.Host
	target peer.AddrInfo
}

// newLink makes the host; it does not connect it yet.
func (d *dialer) newLink() (*link, error) {
	kind := d.kind
	if slices.ContainsFunc(d.target.Addrs, isCircuit) {
		kind.more = append(kind.more, libp2p.EnableRelay())
	}
	h, err := kind.newHost()
	if err != nil {
		return nil, err
	}
	return &link{h, *d.target}, nil
}

// connect returns once the listener is connected and identified.
func (l *link) connect(ctx context.Context) error { return l.host.Connect(mayBeLimited(ctx), l.target) }

func (l *link) close() { l.host.Close() }

// connected is the action of a case that needs one connection; it prints what the case returns.
func connected(follow func(context.Context, *link) (any, error)) action {
	return func(ctx context.Context, d *dialer) error {
		l, err := d.newLink()
		if err != nil {
			return err
		}
		defer l.close()
		if err := l.connect(ctx); err != nil {
			return err
		}
		seen, err := follow(ctx, l)
		if err != nil {
			return err
		}
		return report(seen)
	}
}

// open makes a stream; it and all that happens on it end with the context's deadline.
func (l *link) open(ctx context.Context, id protocol.ID) (network.Stream, error) {
	s, err := l.host.NewStream(mayBeLimited(ctx), l.target.ID, id)
	if err != nil {
		return nil, err
	}
	return s, limit(ctx, s)
}

// openAgreed is like open, but waits for the listener to have agreed to the protocol. (Otherwise
// go-libp2p proposes it along with the first bytes, and a reset would overtake the proposal.)
func (l *link) openAgreed(ctx context.Context, id protocol.ID) (network.Stream, error) {
	s, err := l.host.Network().NewStream(network.WithNoDial(mayBeLimited(ctx), "connected before"), l.target.ID)
	if err != nil {
		return nil, err
	}
	if err := limit(ctx, s); err != nil {
		return nil, err
	}
	return s, multistream.SelectProtoOrFail(id, s)
}

func limit(ctx context.Context, s network.Stream) error {
	deadline, _ := ctx.Deadline()
	return s.SetDeadline(deadline)
}

// answer is all that a protocol says to one who only asks.
func (l *link) answer(ctx context.Context, id protocol.ID) ([]byte, error) {
	s, err := l.open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return io.ReadAll(s)
}
