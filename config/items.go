package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxWorkers is the number of slots of the page that master and workers share.
const maxWorkers = 1024

// either is "a, b or c".
func either(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func logLevelItem(_, level string) (string, error) {
	level = strings.ToLower(level)
	if level == "warn" { // Python's logging knows both
		level = "warning"
	}
	return level, nil
}

func errorLogItem(_, target string) (string, error) {
	if target == "" {
		return "", errors.New("must be a file, or - for the standard error")
	}
	return target, nil
}

// headerMapItem takes capitals, as gunicorn does.
func headerMapItem(_, word string) (string, error) { return strings.ToLower(word), nil }

func rawEnvItem(_, entry string) (string, error) {
	if strings.Index(entry, "=") < 1 {
		return "", errors.New("must be NAME=VALUE")
	}
	return entry, nil
}

// peerItem checks one of forwarded_allow_ips. A network with host bits set is a mistake about its size: gunicorn
// refuses it too.
func peerItem(_, peer string) (string, error) {
	if peer == "*" {
		return peer, nil
	}
	if strings.Contains(peer, "/") {
		network, err := netip.ParsePrefix(peer)
		if err == nil && network != network.Masked() {
			return "", fmt.Errorf("has host bits set; the network is %s", network.Masked())
		}
		if err == nil {
			return peer, nil
		}
	} else if address, err := netip.ParseAddr(peer); err == nil && address.Zone() == "" {
		return peer, nil
	}
	return "", errors.New("must be an IP address, a network such as 10.0.0.0/8, or *")
}

// scriptNameItem checks a mount path. PEP 3333 wants SCRIPT_NAME empty for the root, so a final slash goes away.
func scriptNameItem(_, path string) (string, error) {
	if path != "" && path[0] != '/' {
		return "", errors.New("must begin with a slash, as in /shop")
	}
	return strings.TrimRight(path, "/"), nil
}

func chdirItem(dir, path string) (string, error) {
	path = within(dir, path)
	info, err := os.Stat(path)
	if err != nil {
		return "", reason(err)
	}
	if !info.IsDir() {
		return "", errors.New("is not a directory")
	}
	return path, nil
}

// pythonItem makes a path absolute, because the server changes directory later. A bare name that is nothing here is
// left to be looked up on $PATH.
func pythonItem(dir, python string) (string, error) {
	if python == "" {
		return "", nil
	}
	path := within(dir, python)
	if info, err := os.Stat(path); err == nil && (info.IsDir() || strings.Contains(python, "/")) {
		return path, nil
	} else if strings.Contains(python, "/") {
		return "", reason(err)
	}
	return python, nil
}

// maskNumber reads a umask as gunicorn does: like a Python literal, but a leading 0 alone means octal as well.
func maskNumber(text string) (int, error) {
	value, err := strconv.ParseInt(text, 0, 32)
	switch {
	case err != nil:
		return 0, errors.New("must be a number such as 022 or 0o022")
	case value > 0o777:
		return 0, errors.New("must be at most 0777; a number without a leading 0 is decimal")
	}
	return int(value), nil
}

// commasOrSpaces splits a list of words that contain neither.
func commasOrSpaces(text string) ([]string, error) {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }), nil
}

// within is path as seen from dir.
func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// reason is an error of the file system without the path, which the message has already.
func reason(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
