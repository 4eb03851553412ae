package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	caseTimeout = 60 * time.Second
	pollEvery   = 20 * time.Millisecond
)

// A case's work; it fails when something that the case demands is not so.
type action func(ctx context.Context, d *dialer) error

// Each case reads its options from the flags.
var cases = map[string]func(*flag.FlagSet) action{
	"ping":       pingCase,
	"identify":   identifyCase,
	"push":       pushCase,
	"echo":       echoCase,
	"half-close": halfCloseCase,
	"reset":      resetCase,
	"streams":    streamsCase,
	"perf":       perfCase,
	"connects":   connectsCase,
	"rate":       rateCase,
	"hold":       holdCase,
	"autonat":    autonatCase,
	"circuit":    circuitCase,
}

// A dialer knows whom to dial, and as what kind of host.
type dialer struct {
	kind   hostKind
	target *peer.AddrInfo
}

// dial is the command of that name: it runs one case.
func dial(words []string) error {
	var d dialer
	var act action
	flags := newFlags("dial")
	d.kind.flags(flags)
	err := parse(flags, words, func(word string) (err error) {
		switch {
		case d.target == nil:
			d.target, err = peer.AddrInfoFromString(word)
		case act == nil:
			act, err = caseNamed(word, flags)
		default:
			err = fmt.Errorf("dial takes no %q after the case", word)
		}
		return err
	})
	if err != nil {
		return err
	}
	if act == nil {
		return errors.New("dial needs an address and a case")
	}
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	defer cancel()
	return act(ctx, &d)
}

func caseNamed(name string, flags *flag.FlagSet) (action, error) {
	options, known := cases[name]
	if !known {
		all := slices.Sorted(maps.Keys(cases))
		return nil, fmt.Errorf("no case %q; there are %s", name, strings.Join(all, ", "))
	}
	return options(flags), nil
}

// until polls `holds` until it does, or fails, or `limit` is over.
func until(ctx context.Context, limit time.Duration, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		if held, err := holds(); held || err != nil {
			return err
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %s", what, limit)
		}
	}
}
