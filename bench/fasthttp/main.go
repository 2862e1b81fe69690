// Command fasthttp answers every request with the benchmark's hello response and runs no Python: what a server in Go
// costs that does nothing else. It takes the port to listen on as its only argument.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/valyala/fasthttp"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: fasthttp PORT")
		os.Exit(2)
	}
	// One core serves, as for every other contender of the single-worker rows.
	runtime.GOMAXPROCS(1)
	server := fasthttp.Server{Name: "fasthttp", Handler: hello}
	if err := server.ListenAndServe("127.0.0.1:" + os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "serving on port %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func hello(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("text/plain")
	ctx.SetBodyString("Hello, World!\n")
}
