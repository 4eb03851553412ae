package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify/pb"
	"github.com/libp2p/go-msgio/pbio"
	"github.com/multiformats/go-multiaddr"
)

// The largest identify message that go-libp2p reads.
const identifyBytes = 8 << 10

type identity struct {
	PeerID          string        `json:"peer_id"`
	Security        protocol.ID   `json:"security"`
	Muxer           protocol.ID   `json:"muxer"`
	AgentVersion    string        `json:"agent_version"`
	ProtocolVersion string        `json:"protocol_version"`
	Protocols       []protocol.ID `json:"protocols"`
	ListenAddresses []string      `json:"listen_addresses"`
	ObservedAddress string        `json:"observed_address"`
	SignedRecord    bool          `json:"signed_record"`
	// Seconds until the other side closed the connection, if it did within --stay.
	ClosedAfter *float64 `json:"closed_after_s,omitempty"`
}

func identifyCase(flags *flag.FlagSet) action {
	stay := flags.Duration("stay", 0, "how long to wait for the other side to close")
	return func(ctx context.Context, d *dialer) error {
		l, err := d.newLink()
		if err != nil {
			return err
		}
		defer l.close()
		// Before connecting: the event is not repeated to whom comes late.
		identified, err := l.host.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
		if err != nil {
			return err
		}
		defer identified.Close()
		if err := l.connect(ctx); err != nil {
			return err
		}
		began := time.Now()
		seen, err := identification(ctx, l, identified)
		if err != nil {
			return err
		}
		seen.ClosedAfter = waitClosed(l, began, *stay)
		return report(seen)
	}
}

// identification is what go-libp2p made of the other side's identify, held against what must be so.
func identification(ctx context.Context, l *link, identified event.Subscription) (*identity, error) {
	var done event.EvtPeerIdentificationCompleted
	select {
	case e := <-identified.Out():
		done = e.(event.EvtPeerIdentificationCompleted)
	case <-ctx.Done():
		return nil, errors.New("no identify answer")
	}
	// go-libp2p gives a record only when its envelope verifies and it is the peer's own.
	if done.SignedPeerRecord == nil {
		return nil, errors.New("no signed peer record, or not a valid one")
	}
	if err := checkKey(ctx, l); err != nil {
		return nil, err
	}
	state := done.Conn.ConnState()
	seen := &identity{
		PeerID:          done.Peer.String(),
		Security:        state.Security,
		Muxer:           state.StreamMultiplexer,
		AgentVersion:    done.AgentVersion,
		ProtocolVersion: done.ProtocolVersion,
		Protocols:       done.Protocols,
		ListenAddresses: texts(done.ListenAddrs),
		SignedRecord:    true,
	}
	if done.ObservedAddr != nil {
		seen.ObservedAddress = done.ObservedAddr.String()
	}
	return seen, nil
}

// checkKey asks once more, since go-libp2p does not tell what key the message had.
func checkKey(ctx context.Context, l *link) error {
	s, err := l.open(ctx, identify.ID)
	if err != nil {
		return err
	}
	defer s.Close()
	var message pb.Identify
	if err := pbio.NewDelimitedReader(s, identifyBytes).ReadMsg(&message); err != nil {
		return err
	}
	key, err := crypto.UnmarshalPublicKey(message.GetPublicKey())
	if err != nil {
		return fmt.Errorf("the key in identify: %w", err)
	}
	if id, err := peer.IDFromPublicKey(key); err != nil || id != l.target.ID {
		return fmt.Errorf("the key in identify is that of %s (%v)", id, err)
	}
	return nil
}

// waitClosed stays connected for at most `stay` and tells when the other side ended that.
func waitClosed(l *link, began time.Time, stay time.Duration) *float64 {
	for end := time.Now().Add(stay); time.Now().Before(end); time.Sleep(pollEvery) {
		if l.host.Network().Connectedness(l.target.ID) != network.Connected {
			after := time.Since(began).Seconds()
			return &after
		}
	}
	return nil
}

func texts(addresses []multiaddr.Multiaddr) []string {
	list := []string{}
	for _, address := range addresses {
		list = append(list, address.String())
	}
	return list
}
