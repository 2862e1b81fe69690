package workers

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/static"
)

// offload sends the file that the application has named instead of a body, with its status and headers, at the
// client's pace.
func (t *thread) offload(c *conn, r *request) {
	x := t.exchange
	value, accel := x.Offload()
	name, err := offloaded(string(value), accel)
	var target *static.Target
	if err == nil {
		target, err = t.w.files.root.Within(name)
	}
	status, header := parseHead(x.Head())
	reuse := x.Flags&embedpy.FlagKeepAlive != 0
	q, log, subject := static.NewRequest(&t.request, reuse), t.newOffloadRecord(c, r), t.subject()
	rest, method := cloned(r.rest), cloned(t.request.Method)
	l := &t.w.lane
	l.start(c, func(f *os.File) {
		client := static.Client{FD: c.fd}
		if q.IsLong() {
			client = l.patient(c, f)
		}
		var response *static.Response
		if err == nil {
			response, err = q.Send(client, target, status, header)
		}
		if response == nil {
			f.Close()
			l.w.log.Error("Cannot send the file that the response of %s names: %s", subject, oneLine(err))
			status := 404
			if static.IsFailure(err) {
				status = 503
			}
			page := errorPage(method, status, "")
			body := pageBody(page)
			log.write(&static.Response{Status: status, Head: page[:len(page)-len(body)], Bytes: int64(len(body))})
			l.finish(c, page)
			return
		}
		if err = response.Failed(); err == nil {
			err = l.sendRest(c, f, response)
		}
		f.Close()
		l.sent(c, response, err, log, reuse, rest)
	})
}

// offloaded is the path that a header names. X-Accel-Redirect has a URL path, which is taken as one below the root.
func offloaded(value string, accel bool) (path string, err error) {
	if accel {
		if value, err = url.PathUnescape(value); err != nil {
			return "", err
		}
		value = strings.TrimLeft(value, "/")
	}
	if value == "" {
		return "", errors.New("the header is empty")
	}
	return value, nil
}

// parseHead splits a head that the C layer has checked: a status line and header lines.
func parseHead(head []byte) (status int, header http.Header) {
	header = http.Header{}
	first, rest, _ := strings.Cut(string(head), "\r\n")
	status, _ = strconv.Atoi(first[len("HTTP/1.1 "):][:3])
	for line := range strings.SplitSeq(rest, "\r\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			header.Add(name, value)
		}
	}
	return status, header
}
