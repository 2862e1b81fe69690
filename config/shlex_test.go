package config

import (
	"reflect"
	"testing"
)

// The answers are those of Python's shlex.split.
func TestSplitWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                               nil,
		"  \t\n ":                        nil,
		"-w 3  --threads=4\n-b :80":      {"-w", "3", "--threads=4", "-b", ":80"},
		`-e 'A=x y' -e "B=x y"`:          {"-e", "A=x y", "-e", "B=x y"},
		`a'b'"c"d`:                       {"abcd"},
		`'' ""`:                          {"", ""},
		`"a\"b\\c\d\$e"`:                 {`a"b\c\d\$e`},
		`'a\"b\'`:                        {`a\"b\`},
		`a\ b \'c \d`:                    {"a b", "'c", "d"},
		`# not a comment`:                {"#", "not", "a", "comment"},
		`--env X="a 'b' c" 'say "hi"'`:   {"--env", "X=a 'b' c", `say "hi"`},
		"-n d\u00e9j\u00e0 \u4e16\u754c": {"-n", "d\u00e9j\u00e0", "\u4e16\u754c"},
		"a\\\nb":                         {"a\nb"},
	} {
		got, err := splitWords(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("splitWords(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		`a "b`: "a quotation mark is not closed",
		`it's`: "a quotation mark is not closed",
		`a\`:   "there is nothing after the final backslash",
		`"a\`:  "there is nothing after the final backslash",
	} {
		if got, err := splitWords(text); err == nil || err.Error() != want {
			t.Errorf("splitWords(%q) = %q, %v; want the error %s", text, got, err, want)
		}
	}
}
