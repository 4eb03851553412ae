// A peer built on go-libp2p, to hold other implementations against. Its command line, the protocols it
// serves and its cases are those of ../README.md.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) == 0 {
		return errors.New("usage: peer listen [flags] | peer dial ADDRESS CASE [flags] | peer relay [flags] | " +
			"peer find | peer transport-test | peer hole-punch-test")
	}
	switch words[0] {
	case "listen":
		return listen(words[1:])
	case "dial":
		return dial(words[1:])
	case "find":
		return find(words[1:])
	case "relay":
		return relay(words[1:])
	case "transport-test":
		return transportTest(words[1:])
	case "hole-punch-test":
		return holePunchTest(words[1:])
	}
	return fmt.Errorf("no command %q; there are listen, dial, relay, find, transport-test and hole-punch-test", words[0])
}
