// What go-multiaddr and go-yamux make of inputs, told to ../differential.cpp.
//
// Standard input is a row of requests, each a letter, the payload's length (4 bytes, big-endian) and
// the payload; standard output has for each, in order, the answer's length and the answer.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// The first byte of an answer.
const (
	refused  = 0 // the reason follows, for people
	taken    = 1 // what it was taken for follows
	panicked = 2
)

var answers = map[byte]func([]byte) []byte{
	'N': protocolNamed,
	'T': multiaddrOfText,
	'B': multiaddrOfBytes,
	'Y': yamuxSession,
}

func main() {
	if err := serve(bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "go side:", err)
		os.Exit(1)
	}
}

func serve(in *bufio.Reader, out *bufio.Writer) error {
	for {
		kind, payload, err := request(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		handle, known := answers[kind]
		if !known {
			return fmt.Errorf("no request %q", kind)
		}
		answer := safely(handle, payload)
		if err := binary.Write(out, binary.BigEndian, uint32(len(answer))); err != nil {
			return err
		}
		if _, err := out.Write(answer); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

func request(in *bufio.Reader) (byte, []byte, error) {
	kind, err := in.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	var size uint32
	if err := binary.Read(in, binary.BigEndian, &size); err != nil {
		return 0, nil, io.ErrUnexpectedEOF
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(in, payload); err != nil {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return kind, payload, nil
}

func safely(handle func([]byte) []byte, payload []byte) (answer []byte) {
	defer func() {
		if why := recover(); why != nil {
			answer = fmt.Appendf([]byte{panicked}, "%v", why)
		}
	}()
	return handle(payload)
}

func no(err error) []byte { return append([]byte{refused}, err.Error()...) }

func yes(value []byte) []byte { return append([]byte{taken}, value...) }
