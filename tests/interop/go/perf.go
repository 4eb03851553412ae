package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// The perf protocol of libp2p/specs perf/perf.md, of which go-libp2p has none:
//
//	client → server   how many bytes to send back: 64 bits, big-endian
//	client → server   as many bytes as it likes, and the end
//	server → client   that many bytes, and the end
const perfProtocol = "/perf/1.0.0"

// Several frames of go-yamux, which are of 64 KiB less a header.
const perfBlockBytes = 256 << 10

func perfCase(flags *flag.FlagSet) action {
	upload := flags.Uint64("upload", 0, "how many bytes to send")
	download := flags.Uint64("download", 0, "how many bytes to have sent")
	return connected(func(ctx context.Context, l *link) (any, error) {
		up, err := transferSeconds(ctx, l, *upload, 0)
		if err != nil {
			return nil, fmt.Errorf("upload: %w", err)
		}
		down, err := transferSeconds(ctx, l, 0, *download)
		if err != nil {
			return nil, fmt.Errorf("download: %w", err)
		}
		return map[string]any{
			"upload_bytes": *upload, "upload_seconds": up,
			"download_bytes": *download, "download_seconds": down,
		}, nil
	})
}

// transferSeconds is the time of one run, from the stream's opening to its end.
func transferSeconds(ctx context.Context, l *link, upload, download uint64) (float64, error) {
	if upload == 0 && download == 0 {
		return 0, nil
	}
	began := time.Now()
	s, err := l.open(ctx, perfProtocol)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if _, err := s.Write(binary.BigEndian.AppendUint64(nil, download)); err != nil {
		return 0, err
	}
	if err := fill(s, upload); err != nil {
		return 0, err
	}
	if err := s.CloseWrite(); err != nil {
		return 0, err
	}
	received, err := drain(s)
	if err == nil && received != download {
		err = fmt.Errorf("%d bytes came back instead of %d", received, download)
	}
	return time.Since(began).Seconds(), err
}

func servePerf(s network.Stream) error {
	var download [8]byte
	if _, err := io.ReadFull(s, download[:]); err != nil {
		return err
	}
	if _, err := drain(s); err != nil {
		return err
	}
	return fill(s, binary.BigEndian.Uint64(download[:]))
}

func fill(s network.Stream, count uint64) error {
	block := make([]byte, perfBlockBytes)
	for count > 0 {
		n, err := s.Write(block[:min(count, perfBlockBytes)])
		if err != nil {
			return err
		}
		count -= uint64(n)
	}
	return nil
}

// drain counts what comes until the end.
func drain(s network.Stream) (uint64, error) {
	block := make([]byte, perfBlockBytes)
	count := uint64(0)
	for {
		n, err := s.Read(block)
		count += uint64(n)
		if errors.Is(err, io.EOF) {
			return count, nil
		}
		if err != nil {
			return count, err
		}
	}
}
