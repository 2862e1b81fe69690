package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrHelp is Load's answer to --help: the caller prints Help() and exits with 0.
var ErrHelp = errors.New("help was asked for")

// ErrVersion is Load's answer to --version: the caller prints Version and exits with 0.
var ErrVersion = errors.New("the version was asked for")

// UsageError says that a command line (or a variable that stands for one) is not understood. The exit status is 2.
type UsageError struct {
	// Problem is one line without the program's name.
	Problem string
}

// Error is the line to show: "pyhost: unknown option --worker; did you mean --workers?".
func (e *UsageError) Error() string { return "pyhost: " + e.Problem }

func usagef(format string, args ...any) *UsageError {
	return &UsageError{Problem: fmt.Sprintf(format, args...)}
}

// ValueError says that a setting has a value that cannot be. The exit status is 1.
type ValueError struct {
	// Setting is the setting's name; "" if the fault is in a whole file.
	Setting string
	// Value is the refused value as it was written.
	Value string
	// Source says where it was written, in the words of Config.Source; "" if nowhere.
	Source string
	// Problem says what is wrong, and what would be right.
	Problem string
	// Spelled is the setting as it was written, with its dashes or its $; "" if it was written as Setting.
	Spelled string
}

// Error is the line to show:
//
//	Invalid value for workers: 'x' (from pyhost.toml, line 2): must be a whole number of 0 or more
//	Invalid value for --workers: 'x': must be a whole number of 0 or more
func (e *ValueError) Error() string {
	switch {
	case e.Spelled != "" && (e.Source == commandLine || e.Spelled == e.Source):
		return fmt.Sprintf("Invalid value for %s: %s: %s", e.Spelled, quote(e.Value), e.Problem)
	case e.Spelled != "":
		return fmt.Sprintf("Invalid value for %s: %s (from %s): %s", e.Spelled, quote(e.Value), e.Source, e.Problem)
	case e.Setting != "":
		return fmt.Sprintf("Invalid value for %s: %s (from %s): %s", e.Setting, quote(e.Value), e.Source, e.Problem)
	case e.Source != "":
		return e.Source + ": " + e.Problem
	}
	return e.Problem
}

// problemf is what a check answers: the reader of the value adds the setting and the source.
func problemf(value, format string, args ...any) *ValueError {
	return &ValueError{Value: value, Problem: fmt.Sprintf(format, args...)}
}

// quote puts a value of the user's between quotation marks, on one line whatever is in it.
func quote(value string) string {
	plain := strconv.Quote(value)
	if inner := plain[1 : len(plain)-1]; inner == value || strings.ReplaceAll(inner, `\"`, `"`) == value {
		return "'" + value + "'"
	}
	return plain
}
