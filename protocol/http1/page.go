package http1

import (
	"html"
	"net/http"
	"strconv"
)

// ErrorResponse returns a whole HTTP/1.1 response: gunicorn's small HTML page for a refusal or an error. message is
// escaped. The response says Connection: close.
func ErrorResponse(status int, message string) []byte {
	reason := http.StatusText(status)
	page := "<html>\n  <head>\n    <title>" + reason + "</title>\n  </head>\n  <body>\n    <h1><p>" + reason +
		"</p></h1>\n    " + html.EscapeString(message) + "\n  </body>\n</html>\n"
	return []byte("HTTP/1.1 " + strconv.Itoa(status) + " " + reason + "\r\nConnection: close\r\nContent-Type: text/html\r\n" +
		"Content-Length: " + strconv.Itoa(len(page)) + "\r\n\r\n" + page)
}
