package config

import (
	"errors"
	"strings"
)

// splitWords splits text into words as a POSIX shell does, without expansions: what Python's shlex.split does with
// gunicorn's GUNICORN_CMD_ARGS. Single quotes keep everything; in double quotes a backslash quotes only itself and
// the double quote; elsewhere it quotes any character.
func splitWords(text string) ([]string, error) {
	const none = rune(0)
	var (
		words   []string
		word    strings.Builder
		inWord  bool
		quoting = none
		escaped bool
	)
	for _, r := range text {
		switch {
		case escaped:
			if quoting == '"' && r != '"' && r != '\\' {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quoting != '\'':
			escaped, inWord = true, true
		case quoting != none:
			if r == quoting {
				quoting = none
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quoting, inWord = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	switch {
	case escaped:
		return nil, errors.New("there is nothing after the final backslash")
	case quoting != none:
		return nil, errors.New("a quotation mark is not closed")
	case inWord:
		words = append(words, word.String())
	}
	return words, nil
}
