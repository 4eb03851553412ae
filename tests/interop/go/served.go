package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

const (
	// Small, because `hold` measures what an idle stream costs.
	echoBufferBytes = 4 << 10
	// How long a protocol's name may be, as multistream-select has it in Go.
	protocolNameBytes = 1024
)

func served(name string) protocol.ID {
	return protocol.ID("/open-chat-interop/" + name + "/1.0.0")
}

// serve begins to serve what a listener serves beside identify and ping.
func serve(h host.Host) {
	var fates fateMemory
	fates.last.Store("none")
	h.SetStreamHandler(perfProtocol, ending(servePerf))
	h.SetStreamHandler(served("echo"), ending(serveEcho))
	h.SetStreamHandler(served("digest"), ending(serveDigest))
	h.SetStreamHandler(served("reset"), ending(serveReset))
	h.SetStreamHandler(served("fate"), ending(fates.meet))
	h.SetStreamHandler(served("last-fate"), ending(fates.tell))
	h.SetStreamHandler(served("push"), ending(func(s network.Stream) error { return servePush(h, s) }))
	h.SetStreamHandler(served("known"), ending(func(s network.Stream) error { return serveKnown(h, s) }))
}

// ending ends a stream cleanly when its protocol was followed to the end, and resets it otherwise.
func ending(follow func(network.Stream) error) network.StreamHandler {
	return func(s network.Stream) {
		if err := follow(s); err != nil {
			s.Reset()
			return
		}
		s.Close()
	}
}

func serveEcho(s network.Stream) error {
	_, err := io.CopyBuffer(s, s, make([]byte, echoBufferBytes))
	return err
}

func serveDigest(s network.Stream) error {
	digest := sha256.New()
	if _, err := io.Copy(digest, s); err != nil {
		return err
	}
	_, err := s.Write(digest.Sum(nil))
	return err
}

func serveReset(s network.Stream) error {
	if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
		return err
	}
	return errors.New("as the protocol has it")
}

// How the last stream of `fate` came to its end.
type fateMemory struct{ last atomic.Value }

func (f *fateMemory) meet(s network.Stream) error {
	_, err := io.Copy(io.Discard, s)
	switch {
	case err == nil:
		f.last.Store("eof")
	case wasReset(err):
		f.last.Store("reset")
	}
	return err
}

func (f *fateMemory) tell(s network.Stream) error {
	_, err := io.WriteString(s, f.last.Load().(string))
	return err
}

// wasReset tells a reset of the stream from every other end, that of its connection included.
func wasReset(err error) bool {
	var lost *network.ConnError
	return errors.Is(err, network.ErrReset) && !errors.As(err, &lost)
}

func servePush(h host.Host, s network.Stream) error {
	name, err := io.ReadAll(io.LimitReader(s, protocolNameBytes))
	if err != nil {
		return err
	}
	h.SetStreamHandler(protocol.ID(name), ending(serveEcho))
	return nil
}

func serveKnown(h host.Host, s network.Stream) error {
	protocols, err := h.Peerstore().GetProtocols(s.Conn().RemotePeer())
	if err != nil {
		return err
	}
	return json.NewEncoder(s).Encode(protocols)
}
