package wsgi

import "strings"

// Rules are the settings that decide how a request becomes an environ.
type Rules struct {
	// SecureSchemeHeaders is gunicorn's secure_scheme_headers: header name -> the exact value that means https.
	// Names are matched in any case.
	SecureSchemeHeaders map[string]string
	// ScriptName is the default mount point, from the environment variable SCRIPT_NAME; "" = the root.
	ScriptName string
	// ForwarderHeaders is gunicorn's forwarder_headers: header names with "_" that a trusted peer may send; "*" =
	// any. nil = SCRIPT_NAME and PATH_INFO; empty but not nil = none.
	ForwarderHeaders []string
	// RealIP is the header in which proxies tell the client's address: "Forwarded", or one with a list of addresses such
	// as X-Forwarded-For; "" = REMOTE_ADDR is the peer's. Trusted are the proxies that are believed.
	RealIP  string
	Trusted *Trusted
	// RequestID is the header that carries the ID of each request; "" = requests get none.
	RequestID string
	// HeaderMap is gunicorn's header_map: what becomes of other header names with "_".
	HeaderMap HeaderMap
}

// HeaderMap says what becomes of a header whose name has "_", which makes it the same variable as one with "-".
type HeaderMap int

// The values of gunicorn's header_map.
const (
	HeaderDrop      HeaderMap = iota // the application does not see it
	HeaderRefuse                     // the request is refused
	HeaderDangerous                  // it is taken like one with "-"
)

// HeaderMaps are the HeaderMap values by gunicorn's names for them.
var HeaderMaps = map[string]HeaderMap{"drop": HeaderDrop, "refuse": HeaderRefuse, "dangerous": HeaderDangerous}

// schemeHeader is one of the SecureSchemeHeaders, its name in lower case.
type schemeHeader struct{ name, https string }

func schemeHeaders(settings map[string]string) []schemeHeader {
	var headers []schemeHeader
	for name, value := range settings {
		headers = append(headers, schemeHeader{strings.ToLower(name), value})
	}
	return headers
}

// forwarders is the set of ForwarderHeaders, as keys of the environ.
type forwarders struct {
	any   bool
	names map[string]bool
}

func newForwarders(list []string) forwarders {
	if list == nil {
		list = []string{"SCRIPT_NAME", "PATH_INFO"}
	}
	f := forwarders{names: map[string]bool{}}
	for _, name := range list {
		f.any = f.any || name == "*"
		f.names["HTTP_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = true
	}
	return f
}

// allows says whether the header that would become key may have "_" in its name.
func (f *forwarders) allows(key []byte) bool { return f.any || f.names[string(key)] }
