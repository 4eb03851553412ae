package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
)

// Where Redis is in libp2p/test-plans.
const defaultRedis = "redis:6379"

// A punchRun is what one of two harnesses asks of a run, and how the programs of the run tell each other where
// they are: in libp2p/test-plans by lists, from which every reader takes a value; in libp2p/unified-testing by
// values, for which readers look again and again.
type punchRun struct {
	isDialer    bool
	server      *redis.Client
	byLists     bool
	relayKey    string
	listenerKey string
	security    string
}

// readPunchRun reads the environment; that of libp2p/test-plans has MODE.
func readPunchRun() (*punchRun, error) {
	read := variables{}
	read.oneOf("TRANSPORT", "tcp")
	if os.Getenv("MODE") != "" {
		run := &punchRun{
			isDialer:    read.oneOf("MODE", "dial", "listen") == "dial",
			server:      redis.NewClient(&redis.Options{Addr: read.orElse("REDIS_ADDR", defaultRedis)}),
			byLists:     true,
			relayKey:    "RELAY_TCP_ADDRESS",
			listenerKey: "LISTEN_CLIENT_PEER_ID",
			security:    "noise",
		}
		return run, read.err
	}
	key := read.set("TEST_KEY")
	read.oneOf("MUXER", "yamux")
	run := &punchRun{
		isDialer:    read.oneOf("IS_DIALER", "true", "false") == "true",
		server:      redis.NewClient(&redis.Options{Addr: read.set("REDIS_ADDR")}),
		relayKey:    key + "_relay_multiaddr",
		listenerKey: key + "_listener_peer_id",
		security:    read.oneOf("SECURE_CHANNEL", "noise", "tls"),
	}
	return run, read.err
}

func (r *punchRun) tell(ctx context.Context, name, value string) error {
	if r.byLists {
		return r.server.RPush(ctx, name, value).Err()
	}
	return r.server.Set(ctx, name, value, 0).Err()
}

func (r *punchRun) told(ctx context.Context, name string) (string, error) {
	if r.byLists {
		answer, err := r.server.BLPop(ctx, punchTestTimeout, name).Result()
		if err != nil {
			return "", err
		}
		// The name of the list, and the value.
		return answer[1], nil
	}
	var value string
	err := until(ctx, punchTestTimeout, name, func() (bool, error) {
		var err error
		value, err = r.server.Get(ctx, name).Result()
		if errors.Is(err, redis.Nil) {
			return false, nil
		}
		return true, err
	})
	return value, err
}

// print prints the times, `all` from the dial of the circuit to the end of the ping.
func (r *punchRun) print(all, ping time.Duration) error {
	if !r.byLists {
		return printLatency(milliseconds(all), milliseconds(ping))
	}
	result := map[string]any{"rtt_to_holepunched_peer_millis": milliseconds(ping)}
	return json.NewEncoder(os.Stdout).Encode(result)
}
