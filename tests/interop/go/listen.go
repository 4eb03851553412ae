package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
)

var listenAddresses = map[string]string{
	"4":   "/ip4/127.0.0.1/tcp/0",
	"6":   "/ip6/::1/tcp/0",
	"any": "/ip4/0.0.0.0/tcp/0",
}

// listen is the command of that name: it serves until standard input ends.
func listen(words []string) error {
	var kind hostKind
	flags := newFlags("listen")
	kind.flags(flags)
	ip := flags.String("ip", "4", "4 or 6")
	through := flags.String("relay", "", "the address of a relay, to be had through that")
	err := parse(flags, words, func(word string) error { return fmt.Errorf("listen takes no %q", word) })
	if err != nil {
		return err
	}
	at, known := listenAddresses[*ip]
	if !known || *ip == "any" {
		return fmt.Errorf("no IP version %q; there are 4 and 6", *ip)
	}
	if *through != "" {
		kind.more = append(kind.more, libp2p.EnableRelay())
	}
	h, err := kind.newHost(at)
	if err != nil {
		return err
	}
	defer h.Close()
	serve(h)
	if *through != "" {
		return listenThrough(h, *through)
	}
	autonat, err := kind.startAutonat(h)
	if err != nil {
		return err
	}
	defer autonat.Close()
	return reportAndWait(map[string]any{"id": h.ID().String(), "addresses": addressesOf(h)})
}

// addressesOf are those to dial, each with the peer id at its end.
func addressesOf(h host.Host) []string {
	addresses := []string{}
	for _, address := range h.Addrs() {
		addresses = append(addresses, fmt.Sprintf("%s/p2p/%s", address, h.ID()))
	}
	return addresses
}

// reportAndWait prints where a host is to be had, and returns when standard input ends.
func reportAndWait(object any) error {
	if err := report(object); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// report prints the one JSON object of a command.
func report(object any) error {
	return json.NewEncoder(os.Stdout).Encode(object)
}
