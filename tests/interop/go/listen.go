package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// listen is the command of that name: it serves until standard input ends.
func listen(words []string) error {
	var kind hostKind
	flags := newFlags("listen")
	kind.flags(flags)
	ip := flags.Int("ip", 4, "4 or 6")
	err := parse(flags, words, func(word string) error { return fmt.Errorf("listen takes no %q", word) })
	if err != nil {
		return err
	}
	loopback, known := map[int]string{4: "/ip4/127.0.0.1/tcp/0", 6: "/ip6/::1/tcp/0"}[*ip]
	if !known {
		return fmt.Errorf("no IP version %d; there are 4 and 6", *ip)
	}
	h, err := kind.newHost(loopback)
	if err != nil {
		return err
	}
	defer h.Close()
	serve(h)
	autonat, err := kind.startAutonat(h)
	if err != nil {
		return err
	}
	defer autonat.Close()
	addresses := []string{}
	for _, address := range h.Addrs() {
		addresses = append(addresses, fmt.Sprintf("%s/p2p/%s", address, h.ID()))
	}
	if err := report(map[string]any{"id": h.ID().String(), "addresses": addresses}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// report prints the one JSON object of a command.
func report(object any) error {
	return json.NewEncoder(os.Stdout).Encode(object)
}
