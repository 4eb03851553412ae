package main

import (
	"crypto/rand"
	"flag"
	"fmt"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// The least that go-libp2p accepts.
const rsaBits = 2048

var keyTypes = map[string]int{
	"ed25519":   crypto.Ed25519,
	"secp256k1": crypto.Secp256k1,
	"ecdsa":     crypto.ECDSA,
	"rsa":       crypto.RSA,
}

// In the order in which a dialer proposes them.
var securities = map[string][]libp2p.Option{
	"noise": {libp2p.Security(noise.ID, noise.New)},
	"tls":   {libp2p.Security(libp2ptls.ID, libp2ptls.New)},
	"both":  {libp2p.Security(libp2ptls.ID, libp2ptls.New), libp2p.Security(noise.ID, noise.New)},
}

// What kind of hosts to make.
type hostKind struct {
	security string
	key      string
	// Finds out under which addresses others see it.
	discovers bool
	// Options beside those that all hosts of this program have.
	more []libp2p.Option
}

func (k *hostKind) flags(flags *flag.FlagSet) {
	flags.StringVar(&k.security, "security", "noise", "noise, tls or both")
	flags.StringVar(&k.key, "key", "ed25519", "ed25519, secp256k1, ecdsa or rsa")
}

// newHost makes a host with a fresh key that listens on `addresses`, which may be none.
//
// All that a case does not need is off: relays, NAT traversal, address discovery, metrics, and the limits on
// connections and streams, which `streams`, `connects` and `hold` exceed on purpose.
func (k *hostKind) newHost(addresses ...string) (host.Host, error) {
	keyType, known := keyTypes[k.key]
	if !known {
		return nil, fmt.Errorf("no kind of key %q; there are ed25519, secp256k1, ecdsa and rsa", k.key)
	}
	security, known := securities[k.security]
	if !known {
		return nil, fmt.Errorf("no security protocol %q; there are noise, tls and both", k.security)
	}
	key, _, err := crypto.GenerateKeyPairWithReader(keyType, rsaBits, rand.Reader)
	if err != nil {
		return nil, err
	}
	more := k.more
	if !k.discovers {
		more = append(more, libp2p.DisableIdentifyAddressDiscovery())
	}
	return libp2p.New(append(more,
		libp2p.Identity(key),
		libp2p.UserAgent("open-chat-interop-go"),
		libp2p.NoListenAddrs,
		libp2p.ListenAddrStrings(addresses...),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.ChainOptions(security...),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.ConnectionManager(connmgr.NullConnMgr{}),
		libp2p.ForceReachabilityPrivate(),
		libp2p.DisableMetrics(),
	)...)
}
