package config

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var writeDocumentation = flag.Bool("write", false, "write the documentation that is made from the table")

// TestDocumentationIsUpToDate: what is made from the table has to be made again when the table changes.
func TestDocumentationIsUpToDate(t *testing.T) {
	const settingsPage, differencesPage = "../docs/settings.md", "../docs/differences.md"
	differences, err := os.ReadFile(differencesPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(differences), AbsentBegin)
	_, after, ended := strings.Cut(rest, AbsentEnd)
	if !begun || !ended {
		t.Fatalf("%s lacks the marks %q and %q", differencesPage, AbsentBegin, AbsentEnd)
	}
	for path, want := range map[string]string{
		settingsPage:    Markdown(),
		differencesPage: before + AbsentBegin + AbsentMarkdown() + AbsentEnd + after,
	} {
		page, err := os.ReadFile(path)
		switch {
		case err == nil && string(page) == want:
		case *writeDocumentation:
			err = os.WriteFile(path, []byte(want), 0o644)
			fallthrough
		default:
			if err != nil || !*writeDocumentation {
				t.Errorf("%s (%v) is not what the table says; run `make docs`", path, err)
			}
		}
	}
}

// TestMarkdownHasAll: each setting is described once, under its section.
func TestMarkdownHasAll(t *testing.T) {
	text := Markdown()
	at := 0
	for _, s := range Settings() {
		next := strings.Index(text[at:], "\n### `"+s.Name+"`\n")
		if next < 0 {
			t.Fatalf("%s is not described after the setting before it", s.Name)
		}
		at += next + 1
	}
	for _, want := range []string{
		"\n## Worker Processes\n",
		"### `workers`\n\nOption `-w INT`, `--workers INT`; type int; default $WEB_CONCURRENCY, else 1\n\nHow many",
		"called in the forkserver, before the server ends.",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is not there once", want)
		}
	}
}
