# The front door. Each target is a script that can be run by itself; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run build test asan tsan interop hostile fuzz bench bench-libp2p bench-link bench-nat format lint tidy clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build and run a node in the foreground (ARGS="--port 2000 …" are its flags)
	@exec build/release/open-chat $(ARGS)

build: ## install what is missing, then build build/release/open-chat
	@scripts/setup build
	@scripts/build release

test: ## layers, format, unit tests, and real nodes behind real NAT
	@scripts/setup build test
	@scripts/test

asan: ## unit tests under AddressSanitizer and UndefinedBehaviorSanitizer, built with clang
	@scripts/setup build test
	@scripts/unit-tests asan
	@scripts/tally build/results/unit-asan.xml

tsan: ## unit tests under ThreadSanitizer
	@scripts/setup build test
	@scripts/unit-tests tsan
	@scripts/tally build/results/unit-tsan.xml

interop: ## our libp2p against go-, js- and rust-libp2p, as far as their toolchains are here
	@scripts/setup build test
	@scripts/differential
	@scripts/interop

hostile: ## real nodes against peers that break the rules on purpose
	@scripts/setup build test
	@scripts/hostile

fuzz: ## every fuzzer for SECONDS each (60), under the same sanitizers
	@scripts/setup build test
	@scripts/fuzz $(or $(SECONDS),60)

bench: ## one table: beside socat, stunnel and ssh (ARGS="--quick", "--only bulk", …)
	@scripts/setup build bench
	@scripts/build release
	@bench/run.py $(ARGS)

bench-libp2p: ## our libp2p beside go-libp2p and rust-libp2p (ARGS="--quick", "--only bulk", …)
	@scripts/setup build
	@scripts/build release interop-peer
	@bench/libp2p.py $(ARGS)

bench-link: ## what a TCP connection gets through the links of tests/lab (ARGS="--congestion bbr")
	@scripts/setup build test bench
	@scripts/build dev link-emulator
	@bench/link.py $(ARGS)

bench-nat: ## through a relay, through NATs, and through a long fat link (ARGS="--quick", "--only relay", …)
	@scripts/setup build test bench
	@scripts/build release open-chat
	@scripts/build dev link-emulator
	@bench/nat.py $(ARGS)

format: ## rewrite C++ files as .clang-format says
	@scripts/setup test
	@scripts/check-format --fix

lint: ## layers, format, and that each header compiles alone
	@scripts/setup build test
	@scripts/check-layers
	@scripts/check-format
	@scripts/build dev open-chat
	@scripts/check-headers

tidy: ## build with clang, and its static analysis (.clang-tidy)
	@scripts/setup build test
	@scripts/build clang
	@run-clang-tidy-19 -quiet -p build/clang "$(CURDIR)/src/.*\.cpp"

clean: ## remove everything built
	@rm -rf build
