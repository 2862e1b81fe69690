package wsgi

// Keys are the names that a frame refers to by index.
var Keys = []string{"REQUEST_METHOD"}
