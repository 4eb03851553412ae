package main

import (
	"fmt"
	"io"
	"os"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

// finder reports the peers that mDNS finds.
type finder struct{}

// HandlePeerFound implements mdns.Notifee.
func (finder) HandlePeerFound(found peer.AddrInfo) {
	addresses := []string{}
	for _, address := range found.Addrs {
		addresses = append(addresses, address.String())
	}
	report(map[string]any{"found": found.ID.String(), "addresses": addresses})
}

// find is the command of that name: it listens on all interfaces, and looks for peers on the LAN until
// standard input ends.
func find(words []string) error {
	var kind hostKind
	flags := newFlags("find")
	kind.flags(flags)
	err := parse(flags, words, func(word string) error { return fmt.Errorf("find takes no %q", word) })
	if err != nil {
		return err
	}
	h, err := kind.newHost("/ip4/0.0.0.0/tcp/0")
	if err != nil {
		return err
	}
	defer h.Close()
	service := mdns.NewMdnsService(h, "", finder{})
	if err := report(map[string]any{"id": h.ID().String()}); err != nil {
		return err
	}
	if err := service.Start(); err != nil {
		return err
	}
	defer service.Close()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
