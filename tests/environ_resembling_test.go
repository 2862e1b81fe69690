package tests

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
)

// A thread remembers what its last request brought. Whatever requests have in common, none may see another's.
func TestEnvironOfResemblingRequests(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "environ", Kind: kind})
		connections := []*Conn{s.Dial(), s.Dial(), s.Dial()}
		random := rand.New(rand.NewPCG(1, 2))
		r := resembling{path: "/", fields: [][2]string{{"Host", "a"}, {"Accept", "x"}, {"X-Own", "1"}, {"Cookie", "a=b"}}}
		for n := range 300 {
			r.change(random, n)
			c := connections[random.IntN(len(connections))]
			e := &environReport{}
			c.Roundtrip(r.request()).JSON(t, e)
			_, port, _ := net.SplitHostPort(c.LocalAddr().String())
			r.check(t, e, port)
			if t.Failed() {
				t.Fatalf("request %d: %.500q", n, r.request())
			}
		}
	})
}

// resembling is a request that changes a little from one to the next.
type resembling struct {
	path, body string
	fields     [][2]string
}

func (r *resembling) change(random *rand.Rand, n int) {
	at := 1 + random.IntN(len(r.fields)-1) // Host stays
	switch random.IntN(12) {
	case 0, 1: // the value of one, also of another length
		r.fields[at][1] = strings.Repeat("v", random.IntN(200)) + fmt.Sprint(n)
	case 2: // the values of all
		for i := 1; i < len(r.fields); i++ {
			r.fields[i][1] = fmt.Sprint(n, i)
		}
	case 3: // another name at the same place
		r.fields[at][0] = fmt.Sprintf("X-Name-%d", n)
	case 4: // one more
		r.fields = append(r.fields, [2]string{fmt.Sprintf("X-More-%d", n), "m"})
	case 5: // one less
		if len(r.fields) > 3 {
			r.fields = append(r.fields[:at], r.fields[at+1:]...)
		}
	case 6: // another order
		random.Shuffle(len(r.fields), func(i, j int) { r.fields[i], r.fields[j] = r.fields[j], r.fields[i] })
		for i := range r.fields {
			if r.fields[i][0] == "Host" {
				r.fields[0], r.fields[i] = r.fields[i], r.fields[0]
			}
		}
	case 7:
		r.path = fmt.Sprintf("/%d?q=%d", random.IntN(3), random.IntN(3))
	case 8:
		r.body = strings.Repeat("b", random.IntN(3)*10)
	case 9: // too much to be remembered, for some requests
		for i := range 4 {
			r.fields = append(r.fields, [2]string{fmt.Sprintf("X-Big-%d-%d", n, i), strings.Repeat("g", 5000)})
		}
	case 10: // few again
		r.fields = append([][2]string{}, r.fields[:min(len(r.fields), 4)]...)
	default: // exactly the same
	}
}

func (r *resembling) request() string {
	var b strings.Builder
	method := "GET"
	if r.body != "" {
		method = "POST"
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, r.path)
	for _, field := range r.fields {
		fmt.Fprintf(&b, "%s: %s\r\n", field[0], field[1])
	}
	if r.body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.body))
	}
	return b.String() + "\r\n" + r.body
}

// check demands what the request brought, and no other field.
func (r *resembling) check(t *testing.T, e *environReport, port string) {
	t.Helper()
	path, query, _ := strings.Cut(r.path, "?")
	want := map[string]string{"PATH_INFO": path, "QUERY_STRING": query, "RAW_URI": r.path, "REMOTE_PORT": port}
	for _, field := range r.fields {
		want["HTTP_"+strings.ToUpper(strings.ReplaceAll(field[0], "-", "_"))] = field[1]
	}
	if r.body != "" {
		want["CONTENT_LENGTH"] = fmt.Sprint(len(r.body))
	} else {
		e.wantAbsent(t, "CONTENT_LENGTH")
	}
	for key, value := range want {
		var got string
		json.Unmarshal(e.Environ[key][1], &got)
		if got != value {
			t.Errorf("%s is %.50q, want %.50q", key, got, value)
		}
	}
	for key := range e.Environ {
		if _, wanted := want[key]; strings.HasPrefix(key, "HTTP_") && !wanted {
			t.Errorf("%s is another request's", key)
		}
	}
	input := "EmptyInput"
	if r.body != "" {
		input = "BytesIO"
	}
	e.want(t, "wsgi.input", input, false)
	e.want(t, "wsgi.early_hints", "builtin_function_or_method", true)
}
