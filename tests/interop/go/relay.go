package main

import (
	"fmt"
	"time"

	circuit "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/multiformats/go-multiaddr"
)

// relay is the command of that name: it hands circuits on until standard input ends.
func relay(words []string) error {
	var kind hostKind
	flags := newFlags("relay")
	kind.flags(flags)
	ip := flags.String("ip", "4", "4, 6 or any")
	lifetime := flags.Int64("lifetime", 3600, "of reservations, in seconds")
	seconds := flags.Int64("limit-seconds", 0, "of a circuit; 0 for no limit")
	bytes := flags.Int64("limit-bytes", 0, "of a circuit, each way; 0 for no limit")
	err := parse(flags, words, func(word string) error { return fmt.Errorf("relay takes no %q", word) })
	if err != nil {
		return err
	}
	at, known := listenAddresses[*ip]
	if !known {
		return fmt.Errorf("no IP version %q; there are 4, 6 and any", *ip)
	}
	h, err := kind.newHost(at)
	if err != nil {
		return err
	}
	defer h.Close()
	resources := circuit.DefaultResources()
	resources.ReservationTTL = time.Duration(*lifetime) * time.Second
	resources.Limit = nil
	if *seconds != 0 || *bytes != 0 {
		resources.Limit = &circuit.RelayLimit{Duration: time.Duration(*seconds) * time.Second, Data: *bytes}
	}
	// The library tells of public addresses only, unless it is told otherwise.
	anyAddress := circuit.WithReservationAddressFilter(func(multiaddr.Multiaddr) bool { return true })
	service, err := circuit.New(h, circuit.WithResources(resources), anyAddress)
	if err != nil {
		return err
	}
	defer service.Close()
	return reportAndWait(map[string]any{"id": h.ID().String(), "addresses": addressesOf(h)})
}
