package config

import (
	"errors"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

const wantsSize = "must be a whole number of bytes, or one with K, M or G, as in 10M"

// sizeNumber reads a number of bytes: 512, 64K, 10M or 1G, with 1024 bytes to the K.
func sizeNumber(text string) (int, error) {
	shift := 0
	if n := len(text); n > 0 {
		shift = 10 * (1 + strings.IndexByte("KMG", text[n-1]&^0x20))
		if shift > 0 {
			text = text[:n-1]
		}
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 || number > math.MaxInt64>>shift {
		return 0, errors.New(wantsSize)
	}
	return int(number << shift), nil
}

// sendfileWord is the meaning of $SENDFILE, for which gunicorn knows these four words.
func sendfileWord(text string) string {
	return strconv.FormatBool(slices.Contains([]string{"y", "1", "yes", "true"}, strings.ToLower(text)))
}

// optionalDirItem accepts a directory that exists, or nothing.
func optionalDirItem(dir, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	path = within(dir, path)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", reason(err)
	case !info.IsDir():
		return "", errors.New("is not a directory")
	}
	return path, nil
}
