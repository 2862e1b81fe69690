package tests

import (
	"os"
	"regexp"
	"strings"
)

// expectation is a log record that the test has announced.
type expectation struct {
	pattern  *regexp.Regexp
	required bool
}

// A record is a log line with the lines that continue it (a traceback). What a crashing runtime prints is a record of
// its own, lest it hides behind an expected one.
var (
	recordStart = regexp.MustCompile(`(?m)^(\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]+\] ` +
		`|SIG[A-Z]+: |panic: |fatal error: |Fatal Python error: |WARNING: DATA RACE|==\d+==)`)
	alarming = regexp.MustCompile(`\[(ERROR|CRITICAL|WARNING)\] |Traceback \(most recent call last\)` +
		`|Exception ignored in|^panic:|\npanic:|fatal error:|SIG[A-Z]+: |DATA RACE|Sanitizer|runtime error` +
		`|Fatal Python error`)
)

// Expect announces a log record (a regular expression, "." matching line ends too) that is alarming by itself and
// that this test is about: it must appear.
func (s *Server) Expect(pattern string) {
	s.expect(pattern, true)
}

// Allow announces an alarming log record that may appear.
func (s *Server) Allow(pattern string) {
	s.expect(pattern, false)
}

func (s *Server) expect(pattern string, required bool) {
	s.t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.expected = append(s.expected, expectation{regexp.MustCompile("(?s)" + pattern), required})
}

// Log is everything that the server wrote to standard error, and to the files of FollowLog, so far.
func (s *Server) Log() string {
	var log strings.Builder
	for _, path := range s.logPaths {
		content, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			s.t.Fatal(err)
		}
		log.Write(content)
	}
	return log.String()
}

// FollowLog makes an error log file part of the log.
func (s *Server) FollowLog(path string) {
	s.logPaths = append(s.logPaths, path)
}

// WaitLog waits until a pattern occurs in the log at least so many times.
func (s *Server) WaitLog(pattern string, times int) {
	s.t.Helper()
	expression := regexp.MustCompile(pattern)
	eventually(s.t, "log matches "+pattern, func() bool {
		if len(expression.FindAllStringIndex(s.Log(), times)) == times {
			return true
		}
		if s.Stopped() && len(expression.FindAllStringIndex(s.Log(), times)) < times {
			s.t.Fatalf("the server exited with code %d before its log matched %q", s.exitCode, pattern)
		}
		return false
	})
}

// records splits a log at the lines that begin a record; what precedes the first one is a record as well.
func records(log string) []string {
	var result []string
	begin := 0
	for _, match := range recordStart.FindAllStringIndex(log, -1) {
		if match[0] > begin {
			result = append(result, log[begin:match[0]])
		}
		begin = match[0]
	}
	return append(result, log[begin:])
}

// checkLog reports alarming records that no expectation covers, and required ones that never came.
func (s *Server) checkLog() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	seen := make([]bool, len(s.expected))
	for _, record := range records(s.Log()) {
		covered := false
		for i, expectation := range s.expected {
			if expectation.pattern.MatchString(record) {
				seen[i], covered = true, true
			}
		}
		if !covered && alarming.MatchString(record) {
			s.t.Errorf("unexpected in the log: %s", strings.TrimSpace(record))
		}
	}
	for i, expectation := range s.expected {
		if expectation.required && !seen[i] {
			s.t.Errorf("missing from the log: %s", expectation.pattern)
		}
	}
}
