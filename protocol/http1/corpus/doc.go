// Package corpus has correct and incorrect HTTP/1.1 messages for tests: of the parser alone, and of a real server to
// which they are sent. No other code imports it.
package corpus
