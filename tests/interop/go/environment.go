package main

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"time"
)

// As long as the harness lets a test run.
const defaultTestTimeout = 180 * time.Second

// An environment is what the harness asks of a run.
type environment struct {
	isDialer     bool
	redisAddress string
	redisKey     string // of the list that carries the listener's address
	security     string
	listenerIP   net.IP // of the listener alone
	timeout      time.Duration
}

// readEnvironment reads the variables that libp2p/unified-testing describes in
// docs/write-a-transport-test-app.md, and TEST_TIMEOUT_SECS, which the apps there know too.
func readEnvironment() (*environment, error) {
	read := variables{}
	e := environment{
		isDialer:     read.oneOf("IS_DIALER", "true", "false") == "true",
		redisAddress: read.set("REDIS_ADDR"),
		redisKey:     read.set("TEST_KEY") + "_listener_multiaddr",
		security:     read.oneOf("SECURE_CHANNEL", "noise", "tls"),
		timeout:      read.seconds("TEST_TIMEOUT_SECS", defaultTestTimeout),
	}
	read.oneOf("TRANSPORT", "tcp")
	read.oneOf("MUXER", "yamux")
	if !e.isDialer {
		e.listenerIP = read.ip("LISTENER_IP")
	}
	return &e, read.err
}

// variables reads environment variables, and keeps the first error.
type variables struct{ err error }

func (v *variables) fail(format string, words ...any) {
	if v.err == nil {
		v.err = fmt.Errorf(format, words...)
	}
}

func (v *variables) set(name string) string {
	value := os.Getenv(name)
	if value == "" {
		v.fail("%s is not set", name)
	}
	return value
}

func (v *variables) oneOf(name string, choices ...string) string {
	value := v.set(name)
	if value != "" && !slices.Contains(choices, value) {
		v.fail("no %s %q; there are %q", name, value, choices)
	}
	return value
}

func (v *variables) ip(name string) net.IP {
	value := v.set(name)
	ip := net.ParseIP(value)
	if ip == nil {
		v.fail("%s is %q, which is no IP address", name, value)
	}
	return ip
}

func (v *variables) orElse(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func (v *variables) seconds(name string, otherwise time.Duration) time.Duration {
	value := os.Getenv(name)
	if value == "" {
		return otherwise
	}
	seconds, err := strconv.ParseUint(value, 10, 16)
	if err != nil || seconds == 0 {
		v.fail("%s is %q, which is no number of seconds", name, value)
	}
	return time.Duration(seconds) * time.Second
}
