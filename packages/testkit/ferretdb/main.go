// A server that speaks MongoDB's wire protocol, for tests where there is no MongoDB: FerretDB 1 on SQLite files, behind a front of
// our own that makes three things as they are in MongoDB. Usage: ferretdb <address> <folder>.
package main

import (
	"context"
	"log"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: ferretdb <address> <folder>")
	}
	address, folder := os.Args[1], os.Args[2]
	socket := filepath.Join(folder, "socket")
	// Left behind by one that was killed.
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		log.Fatal(err)
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Logger:    slog.New(slog.DiscardHandler),
		Handler:   "sqlite",
		SQLiteURL: "file:" + folder + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(server.Run(context.Background())) }()
	untilAnswering(socket)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(serve(listener, socket))
}

// untilAnswering lets nobody in before the server behind takes connections.
func untilAnswering(socket string) {
	for {
		if connection, err := net.Dial("unix", socket); err == nil {
			connection.Close()
			return
		}
		time.Sleep(time.Millisecond)
	}
}
