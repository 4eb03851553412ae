package main

import (
	"net"
	"sync"
	"time"
)

// peer is the connection of a session under test: it gives the bytes it is told to, and takes whatever
// it is given. It knows when the session has worked through all of them.
type peer struct {
	lock    sync.Mutex
	changed sync.Cond
	left    []byte
	closed  bool
	idle    chan struct{} // something is in it while the session waits for more
}

func newPeer() *peer {
	p := &peer{idle: make(chan struct{}, 1)}
	p.changed.L = &p.lock
	return p
}

// send waits until the session wants more than these bytes (true) or is over.
func (p *peer) send(bytes []byte, over <-chan struct{}) bool {
	select {
	case <-p.idle: // it waits for the first of them
	case <-over:
		return false
	}
	if len(bytes) > 0 {
		p.lock.Lock()
		p.left = bytes
		p.changed.Signal()
		p.lock.Unlock()
		select {
		case <-p.idle:
		case <-over:
			return false
		}
	}
	p.idle <- struct{}{}
	return true
}

func (p *peer) Read(into []byte) (int, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	for len(p.left) == 0 && !p.closed {
		select {
		case p.idle <- struct{}{}:
		default:
		}
		p.changed.Wait()
	}
	if p.closed {
		return 0, net.ErrClosed
	}
	n := copy(into, p.left)
	p.left = p.left[n:]
	return n, nil
}

func (p *peer) Write(bytes []byte) (int, error) { return len(bytes), nil }

func (p *peer) Close() error {
	p.lock.Lock()
	p.closed = true
	p.changed.Broadcast()
	p.lock.Unlock()
	return nil
}

func (p *peer) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (p *peer) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (p *peer) SetDeadline(time.Time) error      { return nil }
func (p *peer) SetReadDeadline(time.Time) error  { return nil }
func (p *peer) SetWriteDeadline(time.Time) error { return nil }
