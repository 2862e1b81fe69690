package http1

import (
	"html"
	"strconv"

	"github.com/valyala/fasthttp"
)

// ErrorResponse returns a whole HTTP/1.1 response: gunicorn's small HTML page for a refusal or an error. message is
// escaped. The response says Connection: close, which the caller has to do.
func ErrorResponse(status int, message string) []byte {
	reason := fasthttp.StatusMessage(status)
	page := "<html>\n  <head>\n    <title>" + reason + "</title>\n  </head>\n  <body>\n    <h1><p>" + reason +
		"</p></h1>\n    " + html.EscapeString(message) + "\n  </body>\n</html>\n"
	return []byte("HTTP/1.1 " + strconv.Itoa(status) + " " + reason + "\r\nConnection: close\r\n" +
		"Content-Type: text/html\r\nContent-Length: " + strconv.Itoa(len(page)) + "\r\n\r\n" + page)
}
