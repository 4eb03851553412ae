package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/protocol"
)

const pushTimeout = 10 * time.Second

func pushCase(*flag.FlagSet) action {
	return connected(func(ctx context.Context, l *link) (any, error) {
		if err := pushFromListener(ctx, l); err != nil {
			return nil, err
		}
		if err := pushFromDialer(ctx, l); err != nil {
			return nil, err
		}
		return map[string]any{"from_listener": true, "from_dialer": true}, nil
	})
}

// newProtocol is one that nobody serves yet.
func newProtocol() protocol.ID { return served("pushed-" + rand.Text()) }

func pushFromListener(ctx context.Context, l *link) error {
	updates, err := l.host.EventBus().Subscribe(new(event.EvtPeerProtocolsUpdated))
	if err != nil {
		return err
	}
	defer updates.Close()
	begun := newProtocol()
	s, err := l.open(ctx, served("push"))
	if err != nil {
		return err
	}
	if _, err := io.WriteString(s, string(begun)); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	for timeout := time.After(pushTimeout); ; {
		select {
		case e := <-updates.Out():
			if slices.Contains(e.(event.EvtPeerProtocolsUpdated).Added, begun) {
				return nil
			}
		case <-timeout:
			return errors.New("the listener's push did not come")
		}
	}
}

func pushFromDialer(ctx context.Context, l *link) error {
	begun := newProtocol()
	l.host.SetStreamHandler(begun, ending(serveEcho))
	return until(ctx, pushTimeout, "the listener knows of the dialer's push", func() (bool, error) {
		var known []protocol.ID
		answer, err := l.answer(ctx, served("known"))
		if err != nil {
			return false, err
		}
		err = json.Unmarshal(answer, &known)
		return slices.Contains(known, begun), err
	})
}
