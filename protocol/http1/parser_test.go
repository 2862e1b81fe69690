package http1

// defaults are gunicorn's default limits.
var defaults = Limits{RequestLine: 4094, Fields: 100, FieldSize: 8190}
