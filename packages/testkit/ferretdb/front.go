package main

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"

	"go.mongodb.org/mongo-driver/bson"
)

const (
	headerBytes     = 16
	messageMaxBytes = 48_000_000
	opMsg           = 2013
	moreToCome      = 1 << 1
)

// serve passes each connection on to the server behind `socket`. FerretDB changes a document in several steps and lets other commands
// in between; in MongoDB a document changes at once. So there is one command at a time over all connections.
func serve(listener net.Listener, socket string) error {
	var alone sync.Mutex
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go pass(client, socket, &alone)
	}
}

func pass(client net.Conn, socket string, alone *sync.Mutex) {
	defer client.Close()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	for {
		message, err := readMessage(client)
		if err != nil {
			return
		}
		reply, err := ask(server, withoutFilters(message), alone)
		if err != nil {
			return
		}
		if _, err := client.Write(withDuplicateKey(reply)); err != nil {
			return
		}
	}
}

func ask(server net.Conn, message []byte, alone *sync.Mutex) ([]byte, error) {
	alone.Lock()
	defer alone.Unlock()
	if _, err := server.Write(message); err != nil {
		return nil, err
	}
	if isMsg(message) && binary.LittleEndian.Uint32(message[headerBytes:])&moreToCome != 0 {
		return nil, nil
	}
	return readMessage(server)
}

func readMessage(from io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(length[:])
	if size < headerBytes || size > messageMaxBytes {
		return nil, errors.New("a message has a length that it cannot have")
	}
	message := make([]byte, size)
	copy(message, length[:])
	_, err := io.ReadFull(from, message[4:])
	return message, err
}

func isMsg(message []byte) bool {
	return len(message) > headerBytes+5 && binary.LittleEndian.Uint32(message[12:]) == opMsg
}

// document gives what stands in a message of one section, of kind 0.
func document(message []byte) (bson.D, bool) {
	if !isMsg(message) || message[headerBytes+4] != 0 {
		return nil, false
	}
	var content bson.D
	err := bson.Unmarshal(message[headerBytes+5:], &content)
	return content, err == nil && len(content) > 0
}

func withDocument(message []byte, content bson.D) []byte {
	encoded, err := bson.Marshal(content)
	if err != nil {
		return message
	}
	changed := append(append([]byte{}, message[:headerBytes+5]...), encoded...)
	binary.LittleEndian.PutUint32(changed, uint32(len(changed)))
	return changed
}

// withoutFilters takes the filters of partial indexes out of `createIndexes`: FerretDB refuses them. Its indexes are SQLite's, where
// records that are without a field never are equal in a unique index, which is what our filters are for.
func withoutFilters(message []byte) []byte {
	command, ok := document(message)
	if !ok || command[0].Key != "createIndexes" {
		return message
	}
	for i, element := range command {
		if indexes, ok := element.Value.(bson.A); ok && element.Key == "indexes" {
			command[i].Value = withoutFilter(indexes)
		}
	}
	return withDocument(message, command)
}

func withoutFilter(indexes bson.A) bson.A {
	var changed bson.A
	for _, index := range indexes {
		var kept bson.D
		fields, _ := index.(bson.D)
		for _, field := range fields {
			if field.Key != "partialFilterExpression" {
				kept = append(kept, field)
			}
		}
		changed = append(changed, kept)
	}
	return changed
}

// withDuplicateKey gives an update that a unique index forbids MongoDB's code for it; FerretDB passes SQLite's error on.
func withDuplicateKey(message []byte) []byte {
	reply, ok := document(message)
	if !ok {
		return message
	}
	told, _ := reply.Map()["errmsg"].(string)
	if !strings.Contains(told, "UNIQUE constraint failed") {
		return message
	}
	return withDocument(message, bson.D{
		{Key: "ok", Value: float64(0)},
		{Key: "errmsg", Value: "E11000 duplicate key error"},
		{Key: "code", Value: int32(11000)},
		{Key: "codeName", Value: "DuplicateKey"},
	})
}
