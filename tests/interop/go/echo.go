package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

const (
	halfCloseBytes = 1 << 20
	// What each of the streams of `streams` carries.
	streamBytes = 1 << 10
)

// pseudoRandom are always the same bytes, so that a failure can be repeated.
func pseudoRandom(count int64) io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{}), count) }

func echoCase(flags *flag.FlagSet) action {
	size := flags.Int64("bytes", 64<<20, "how many bytes")
	return connected(func(ctx context.Context, l *link) (any, error) { return echoed(ctx, l, *size) })
}

// echoed writes and reads at once.
func echoed(ctx context.Context, l *link, size int64) (any, error) {
	began := time.Now()
	s, err := l.open(ctx, served("echo"))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	sent, received := sha256.New(), sha256.New()
	written := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.MultiWriter(s, sent), pseudoRandom(size))
		written <- errors.Join(err, s.CloseWrite())
	}()
	count, err := io.Copy(received, s)
	if err != nil {
		s.Reset() // or the writer would wait for a reader
	}
	if err := errors.Join(err, <-written); err != nil {
		return nil, err
	}
	if !bytes.Equal(sent.Sum(nil), received.Sum(nil)) {
		return nil, fmt.Errorf("sent %d bytes, and %d others came back", size, count)
	}
	sum := hex.EncodeToString(received.Sum(nil))
	return map[string]any{"bytes": count, "sha256": sum, "seconds": time.Since(began).Seconds()}, nil
}

func halfCloseCase(*flag.FlagSet) action {
	return connected(func(ctx context.Context, l *link) (any, error) {
		s, err := l.open(ctx, served("digest"))
		if err != nil {
			return nil, err
		}
		defer s.Close()
		digest := sha256.New()
		if _, err := io.Copy(io.MultiWriter(s, digest), pseudoRandom(halfCloseBytes)); err != nil {
			return nil, err
		}
		if err := s.CloseWrite(); err != nil {
			return nil, err
		}
		answer, err := io.ReadAll(s)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(answer, digest.Sum(nil)) {
			return nil, fmt.Errorf("the digest came back as %x", answer)
		}
		return map[string]any{"bytes": halfCloseBytes}, nil
	})
}

func streamsCase(flags *flag.FlagSet) action {
	count := flags.Int("count", 500, "how many streams")
	return connected(func(ctx context.Context, l *link) (any, error) {
		streams := make([]network.Stream, *count)
		block := make([]byte, streamBytes)
		for i := range streams {
			var err error
			if streams[i], err = l.open(ctx, served("echo")); err != nil {
				return nil, fmt.Errorf("stream %d: %w", i+1, err)
			}
			if _, err := streams[i].Write(block); err != nil {
				return nil, fmt.Errorf("stream %d: %w", i+1, err)
			}
		}
		for i, s := range streams {
			if _, err := io.ReadFull(s, block); err != nil {
				return nil, fmt.Errorf("stream %d: %w", i+1, err)
			}
		}
		for i, s := range streams {
			if err := endEcho(s); err != nil {
				return nil, fmt.Errorf("the end of stream %d: %w", i+1, err)
			}
		}
		return map[string]any{"count": len(streams)}, nil
	})
}

// endEcho ends our half, upon which the echo must end the other.
func endEcho(s network.Stream) error {
	defer s.Close()
	if err := s.CloseWrite(); err != nil {
		return err
	}
	rest, err := io.ReadAll(s)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes too many", len(rest))
	}
	return err
}
