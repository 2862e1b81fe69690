package workers

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/wire"
	"github.com/pyhost/pyhost/wsgi"
)

// prove answers the requests of warmup_url, while the Python threads run and before anybody else may ask. It reports
// false when the worker has failed to boot, which the master has been told then.
func (w *worker) prove(targets []string) bool {
	w.warming.Store(true)
	for _, target := range targets {
		if err := w.warmUp(target); err != nil {
			w.tellFailure(&embedpy.BootError{
				Code: wire.ExitBootError, Cause: fmt.Sprintf("warmup_url %s: %v", target, err),
			})
			return false
		}
	}
	return true
}

// warmUp sends one request to this worker, over a connection that only it knows.
func (w *worker) warmUp(target string) error {
	request, secure, err := warmUpRequest(target)
	if err != nil {
		return err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer theirs.Close()
	c, ok := w.table.add(ours)
	if !ok {
		unix.Close(ours)
		return unix.EMFILE
	}
	c.own = true
	c.facts = wsgi.Conn{RemoteAddr: []byte("127.0.0.1"), RemotePort: []byte("0"), TLS: secure}
	w.lane.giveBack(c, nil)
	if _, err := io.WriteString(theirs, request); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(theirs), nil)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	switch {
	case err != nil:
		return fmt.Errorf("no complete answer: %w", err)
	case response.StatusCode < 200 || response.StatusCode > 399:
		return fmt.Errorf("answered %s; 2xx or 3xx is wanted", response.Status)
	}
	return nil
}

// warmUpRequest is the request for a path, or for a URL that also names host and scheme.
func warmUpRequest(target string) (request string, secure bool, err error) {
	host, path := "localhost", target
	if !strings.HasPrefix(target, "/") {
		u, err := url.Parse(target)
		if err != nil {
			return "", false, err
		}
		host, path, secure = u.Host, u.RequestURI(), u.Scheme == "https"
	}
	const form = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: pyhost/%s (warmup)\r\nConnection: close\r\n\r\n"
	return fmt.Sprintf(form, path, host, config.Version), secure, nil
}
