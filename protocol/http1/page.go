package http1

import (
	"html"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// ErrorResponse returns a whole HTTP/1.1 response: gunicorn's small HTML page for a refusal or an error. message is
// escaped. The response says Connection: close, which the caller has to do, and, as every response of a server with a
// clock must (RFC 9110 6.6.1), its date.
func ErrorResponse(status int, message string) []byte {
	reason := fasthttp.StatusMessage(status)
	page := "<html>\n  <head>\n    <title>" + reason + "</title>\n  </head>\n  <body>\n    <h1><p>" + reason +
		"</p></h1>\n    " + html.EscapeString(message) + "\n  </body>\n</html>\n"
	date := string(fasthttp.AppendHTTPDate(nil, time.Now()))
	return []byte("HTTP/1.1 " + strconv.Itoa(status) + " " + reason + "\r\nDate: " + date + "\r\nConnection: close\r\n" +
		"Content-Type: text/html\r\nContent-Length: " + strconv.Itoa(len(page)) + "\r\n\r\n" + page)
}
