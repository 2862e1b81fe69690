package wsgi

import "strings"

// Indexes into Keys of the variables that do not come from a header of the same name.
const (
	keyRequestMethod uint32 = iota
	keyRawURI
	keyRequestURI
	keyPathInfo
	keyQueryString
	keyServerProtocol
	keyScriptName
	keyURLScheme
	keyRemoteAddr
	keyRemotePort
	keyServerName
	keyServerPort
	keyContentType
	keyContentLength
	keyHTTPHost
	keyHTTPCookie
	keyOtherHeaders // the first of otherHeaders
)

// Keys are the names that a frame refers to by index, so that C makes each of them a Python string only once. Their
// order is private to this version of the program.
var Keys = makeKeys()

func makeKeys() []string {
	keys := []string{
		"REQUEST_METHOD", "RAW_URI", "REQUEST_URI", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "SCRIPT_NAME",
		"wsgi.url_scheme", "REMOTE_ADDR", "REMOTE_PORT", "SERVER_NAME", "SERVER_PORT", "CONTENT_TYPE", "CONTENT_LENGTH",
		"HTTP_HOST", "HTTP_COOKIE",
	}
	for _, name := range otherHeaders {
		keys = append(keys, "HTTP_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_")))
	}
	return keys
}

// otherHeaders are the fields that browsers, proxies and libraries send often. A name that is missing here works as
// well; it only costs more.
var otherHeaders = []string{
	"accept", "accept-charset", "accept-encoding", "accept-language", "access-control-request-headers",
	"access-control-request-method", "alt-used", "authorization", "baggage", "cache-control", "cdn-loop",
	"cf-connecting-ip", "cf-ipcountry", "cf-ray", "cf-visitor", "connection", "content-disposition",
	"content-encoding", "content-language", "content-location", "content-md5", "content-range", "date", "dnt",
	"early-data", "expect", "forwarded", "from", "hx-boosted", "hx-current-url", "hx-request", "hx-target",
	"hx-trigger", "idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-range",
	"if-unmodified-since", "keep-alive", "link", "max-forwards", "origin", "pragma", "prefer", "priority",
	"proxy-authorization", "proxy-connection", "purpose", "range", "referer", "save-data",
	"sec-ch-prefers-color-scheme", "sec-ch-ua", "sec-ch-ua-arch", "sec-ch-ua-full-version-list", "sec-ch-ua-mobile",
	"sec-ch-ua-model", "sec-ch-ua-platform", "sec-ch-ua-platform-version", "sec-fetch-dest", "sec-fetch-mode",
	"sec-fetch-site", "sec-fetch-storage-access", "sec-fetch-user", "sec-gpc", "sec-purpose",
	"sec-websocket-extensions", "sec-websocket-key", "sec-websocket-protocol", "sec-websocket-version",
	"sentry-trace", "te", "traceparent", "tracestate", "trailer", "transfer-encoding", "true-client-ip",
	"turbo-frame", "upgrade", "upgrade-insecure-requests", "user-agent", "via", "warning", "x-amz-cf-id",
	"x-amzn-trace-id", "x-api-key", "x-auth-token", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid", "x-client-ip",
	"x-cloud-trace-context", "x-correlation-id", "x-csrf-token", "x-csrftoken", "x-envoy-attempt-count",
	"x-envoy-external-address", "x-forwarded-by", "x-forwarded-client-cert", "x-forwarded-for", "x-forwarded-host",
	"x-forwarded-path", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-proto", "x-forwarded-protocol",
	"x-forwarded-scheme", "x-forwarded-server", "x-forwarded-ssl", "x-forwarded-uri", "x-http-method-override",
	"x-original-forwarded-for", "x-original-host", "x-original-uri", "x-queue-start", "x-real-ip", "x-request-id",
	"x-request-start", "x-requested-with", "x-scheme", "x-turbo-request-id", "x-xsrf-token",
}
