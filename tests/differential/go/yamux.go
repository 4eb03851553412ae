package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-yamux/v5"
)

// As many bytes as one read asks for: credit is granted after reads, so that both sides must read in
// the same steps.
const readSize = 32 * 1024

// What the user of a stream does to it.
const (
	closeWrite = 1
	reset      = 2
)

// session is one run: a yamux session, and the streams that the peer opened.
type session struct {
	*yamux.Session
	peer    *peer
	opened  *counter
	streams []*stream
}

type stream struct {
	*yamux.Stream
	data []byte
	end  byte
}

// yamuxSession runs a session that gets what the payload says: whether it is the client, then rounds,
// each of bytes from the peer (length first) and of what its user does then (a number, then as many
// pairs of a stream, by the order of opening, and an act). The answer: whether it is alive, and of each
// stream its id, how it ended (open, fin, reset) and what was read from it. Of one that died, the
// streams of the last round are left out, as it is left to chance which of them the user still sees.
func yamuxSession(payload []byte) []byte {
	reader := &reader{left: payload}
	run, err := newSession(reader.byte() == 1)
	if err != nil {
		return no(err)
	}
	defer run.Close()
	alive := true
	for alive && len(reader.left) > 0 {
		alive = run.round(reader)
	}
	return yes(run.told(alive))
}

func newSession(client bool) (*session, error) {
	config := yamux.DefaultConfig()
	config.EnableKeepAlive = false
	config.ReadBufSize = 0
	config.LogOutput = io.Discard
	run := &session{peer: newPeer(), opened: &counter{}}
	var err error
	if client {
		run.Session, err = yamux.Client(run.peer, config, run.opened.next)
	} else {
		run.Session, err = yamux.Server(run.peer, config, run.opened.next)
	}
	return run, err
}

// round says whether the session outlived it.
func (s *session) round(reader *reader) bool {
	alive := s.peer.send(reader.bytes(), s.CloseChan())
	if alive {
		s.accept()
	} else {
		s.Close() // returns when its streams have been told
	}
	for _, stream := range s.streams {
		stream.read()
	}
	for acts := reader.byte(); acts > 0; acts-- {
		number, act := int(reader.byte()), reader.byte()
		if !alive || number >= len(s.streams) {
			continue
		}
		switch act {
		case closeWrite:
			s.streams[number].CloseWrite()
		case reset:
			s.streams[number].Reset()
			s.streams[number].end = 'r'
		}
	}
	return alive
}

// accept takes those streams that are there; it does not wait.
func (s *session) accept() {
	for int(s.opened.count.Load()) > len(s.streams) {
		accepted, err := s.AcceptStream()
		if err != nil {
			return
		}
		accepted.SetReadDeadline(time.Unix(1, 0))
		s.streams = append(s.streams, &stream{Stream: accepted, end: 'o'})
	}
}

// read takes what there is; it does not wait.
func (s *stream) read() {
	if s.end != 'o' {
		return
	}
	buffer := make([]byte, readSize)
	for {
		n, err := s.Read(buffer)
		s.data = append(s.data, buffer[:n]...)
		switch {
		case n > 0: // the deadline has passed for the credit that the read would grant, but not for it
		case err == io.EOF:
			s.end = 'f'
			return
		case errors.Is(err, yamux.ErrTimeout):
			return
		case errors.Is(err, yamux.ErrStreamReset):
			s.end = 'r'
			return
		default:
			panic(fmt.Sprintf("a read ended with %v", err))
		}
	}
}

func (s *session) told(alive bool) []byte {
	var out []byte
	if alive {
		out = append(out, 1)
	} else {
		out = append(out, 0)
	}
	for _, stream := range s.streams {
		out = binary.BigEndian.AppendUint32(out, stream.StreamID())
		out = append(out, stream.end)
		out = binary.BigEndian.AppendUint32(out, uint32(len(stream.data)))
		out = append(out, stream.data...)
	}
	return out
}

// counter counts the streams that were opened: a session asks for memory for each.
type counter struct {
	count atomic.Int32
}

func (c *counter) next() (yamux.MemoryManager, error) {
	c.count.Add(1)
	return unlimited{}, nil
}

type unlimited struct{}

func (unlimited) ReserveMemory(int, uint8) error { return nil }
func (unlimited) ReleaseMemory(int)              {}
func (unlimited) Done()                          {}

// reader takes a request's payload apart; zeros when it is used up.
type reader struct {
	left []byte
}

func (r *reader) byte() byte {
	if len(r.left) == 0 {
		return 0
	}
	first := r.left[0]
	r.left = r.left[1:]
	return first
}

// bytes has the length, of 4 bytes, in front.
func (r *reader) bytes() []byte {
	size := 0
	for range 4 {
		size = size<<8 | int(r.byte())
	}
	taken := r.left[:min(size, len(r.left))]
	r.left = r.left[len(taken):]
	return taken
}
