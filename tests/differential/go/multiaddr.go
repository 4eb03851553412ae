package main

import (
	"encoding/binary"
	"errors"

	ma "github.com/multiformats/go-multiaddr"
)

// protocolNamed gives the code of a protocol, and the bits of its value.
func protocolNamed(name []byte) []byte {
	protocol := ma.ProtocolWithName(string(name))
	if protocol.Code == 0 {
		return no(errors.New("unknown"))
	}
	value := binary.BigEndian.AppendUint32(nil, uint32(protocol.Code))
	return yes(binary.BigEndian.AppendUint32(value, uint32(int32(protocol.Size))))
}

// multiaddrOfText gives the bytes of a text.
func multiaddrOfText(text []byte) []byte {
	address, err := ma.NewMultiaddr(string(text))
	if err != nil {
		return no(err)
	}
	return yes(address.Bytes())
}

// multiaddrOfBytes gives the text of bytes.
func multiaddrOfBytes(bytes []byte) []byte {
	address, err := ma.NewMultiaddrBytes(bytes)
	if err != nil {
		return no(err)
	}
	return yes([]byte(address.String()))
}
