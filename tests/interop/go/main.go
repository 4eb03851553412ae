// A peer built on go-libp2p, to hold Open-Chat's libp2p against an independent implementation.
//
//	peer dial ADDRESS [flags]     connects, identifies and pings; prints what it saw as one JSON object
//	peer listen [flags]           prints {"id", "addresses"} and serves until its input ends
//
// TCP only, with yamux, and one security protocol chosen by -security.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multiaddr"
)

const identifyTimeout = 10 * time.Second

type options struct {
	security string
	pings    int
	stay     time.Duration
	timeout  time.Duration
}

// What a dial saw of the other side.
type report struct {
	PeerID          string    `json:"peer_id"`
	Security        string    `json:"security"`
	Muxer           string    `json:"muxer"`
	AgentVersion    string    `json:"agent_version"`
	ProtocolVersion string    `json:"protocol_version"`
	Protocols       []string  `json:"protocols"`
	ListenAddresses []string  `json:"listen_addresses"`
	ObservedAddress string    `json:"observed_address"`
	SignedRecord    bool      `json:"signed_record"`
	PingsMs         []float64 `json:"pings_ms"`
	// Seconds until the other side closed the connection, or null if it did not within -stay.
	ClosedAfter *float64 `json:"closed_after_s"`
}

func newHost(security string, listen bool) (host.Host, error) {
	settings := []libp2p.Option{
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
		libp2p.UserAgent("open-chat-interop"),
	}
	switch security {
	case "noise":
		settings = append(settings, libp2p.Security(noise.ID, noise.New))
	case "tls":
		settings = append(settings, libp2p.Security(libp2ptls.ID, libp2ptls.New))
	default:
		return nil, fmt.Errorf("no security protocol %q; there are noise and tls", security)
	}
	if listen {
		settings = append(settings, libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))
	} else {
		settings = append(settings, libp2p.NoListenAddrs)
	}
	return libp2p.New(settings...)
}

func dial(address string, opt options) error {
	h, err := newHost(opt.security, false)
	if err != nil {
		return err
	}
	defer h.Close()
	info, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	identified, err := h.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
	if err != nil {
		return err
	}
	defer identified.Close()
	ctx, cancel := context.WithTimeout(context.Background(), opt.timeout)
	defer cancel()
	if err := h.Connect(ctx, *info); err != nil {
		return err
	}
	began := time.Now()
	seen, err := identification(identified)
	if err != nil {
		return err
	}
	if seen.PingsMs, err = pings(ctx, h, info.ID, opt.pings); err != nil {
		return err
	}
	seen.ClosedAfter = waitClosed(h, info.ID, began, opt.stay)
	return json.NewEncoder(os.Stdout).Encode(seen)
}

// identification waits for the identify exchange on the new connection.
func identification(events event.Subscription) (*report, error) {
	select {
	case e := <-events.Out():
		done := e.(event.EvtPeerIdentificationCompleted)
		state := done.Conn.ConnState()
		seen := &report{
			PeerID:          done.Peer.String(),
			Security:        string(state.Security),
			Muxer:           string(state.StreamMultiplexer),
			AgentVersion:    done.AgentVersion,
			ProtocolVersion: done.ProtocolVersion,
			Protocols:       []string{},
			ListenAddresses: texts(done.ListenAddrs),
			SignedRecord:    done.SignedPeerRecord != nil,
		}
		for _, protocol := range done.Protocols {
			seen.Protocols = append(seen.Protocols, string(protocol))
		}
		if done.ObservedAddr != nil {
			seen.ObservedAddress = done.ObservedAddr.String()
		}
		return seen, nil
	case <-time.After(identifyTimeout):
		return nil, errors.New("no identify answer")
	}
}

func pings(ctx context.Context, h host.Host, id peer.ID, count int) ([]float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	times := []float64{}
	results := ping.Ping(ctx, h, id)
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

// waitClosed stays connected for at most `stay` and tells when the other side ended that.
func waitClosed(h host.Host, id peer.ID, began time.Time, stay time.Duration) *float64 {
	for end := time.Now().Add(stay); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if h.Network().Connectedness(id) != network.Connected {
			after := time.Since(began).Seconds()
			return &after
		}
	}
	return nil
}

func listen(opt options) error {
	h, err := newHost(opt.security, true)
	if err != nil {
		return err
	}
	defer h.Close()
	addresses := []string{}
	for _, address := range h.Addrs() {
		addresses = append(addresses, fmt.Sprintf("%s/p2p/%s", address, h.ID()))
	}
	at := map[string]any{"id": h.ID().String(), "addresses": addresses}
	if err := json.NewEncoder(os.Stdout).Encode(at); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func texts(addresses []multiaddr.Multiaddr) []string {
	list := []string{}
	for _, address := range addresses {
		list = append(list, address.String())
	}
	return list
}

func run() error {
	var opt options
	flag.StringVar(&opt.security, "security", "noise", "noise or tls")
	flag.IntVar(&opt.pings, "pings", 5, "how many pings")
	flag.DurationVar(&opt.stay, "stay", 0, "how long to wait for the other side to close")
	flag.DurationVar(&opt.timeout, "timeout", 20*time.Second, "for connecting and pinging")
	if len(os.Args) < 2 {
		return errors.New("usage: peer dial ADDRESS | peer listen")
	}
	switch words := os.Args[2:]; os.Args[1] {
	case "dial":
		if len(words) < 1 {
			return errors.New("dial needs an address")
		}
		if err := flag.CommandLine.Parse(words[1:]); err != nil {
			return err
		}
		return dial(words[0], opt)
	case "listen":
		if err := flag.CommandLine.Parse(words); err != nil {
			return err
		}
		return listen(opt)
	}
	return fmt.Errorf("no command %q", os.Args[1])
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}
