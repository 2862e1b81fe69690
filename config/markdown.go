package config

import (
	"fmt"
	"strings"
)

// markdownHead has ' for every `, which Go's literals cannot hold.
var markdownHead = strings.ReplaceAll(`# Settings

This page is made from the table that the program itself uses ('make docs'). 'pyhost --help' tells the same in short,
'pyhost --print-config' what holds for one command line and why.

The same name works everywhere: as 'worker_class = "sync"' in 'pyhost.toml', under '[tool.pyhost]' in 'pyproject.toml'
and in a Python file, as 'PYHOST_WORKER_CLASS=sync' in the environment; most have an option, too.

Where several say something the strongest wins: the command line, 'PYHOST_<NAME>', options in 'PYHOST_CMD_ARGS',
options in 'GUNICORN_CMD_ARGS', the configuration file, a framework, the default.
`, "'", "`")

// Markdown is docs/settings.md: all settings by section, and those of gunicorn's that do not exist.
func Markdown() string {
	var text strings.Builder
	text.WriteString(markdownHead)
	section := ""
	for _, s := range settings {
		if s.Section != section {
			section = s.Section
			fmt.Fprintf(&text, "\n## %s\n", section)
		}
		fmt.Fprintf(&text, "\n### `%s`\n\n%s\n\n%s\n", s.Name, markdownFacts(s), markdownText(s.Doc))
	}
	text.WriteString("\n## Settings of gunicorn's that do not exist\n\nSee [differences.md](differences.md#settings).\n")
	return text.String()
}

// markdownFacts is the line below the name: options, variable, default.
func markdownFacts(s *Setting) string {
	if s.Type == Hook {
		return "A function of a Python file: `" + s.Name + s.Metavar + "`"
	}
	var facts []string
	for _, option := range s.spellings() {
		if s.Metavar != "" {
			option += " " + s.Metavar
		}
		facts = append(facts, "`"+option+"`")
	}
	line := ""
	if len(facts) > 0 {
		line = "Option " + strings.Join(facts, ", ") + "; "
	}
	if s.Name != "config" {
		line += "type " + string(s.Type) + "; "
	}
	return line + "default " + markdownDefault(s)
}

func markdownDefault(s *Setting) string {
	text := s.defaultText()
	if s.DefaultText != "" || text == "none" || text == "on" || text == "off" || s.Env != "" {
		return text
	}
	return "`" + text + "`"
}

// AbsentBegin and AbsentEnd stand around AbsentMarkdown in docs/differences.md.
const (
	AbsentBegin = "<!-- absent settings, made by `make docs` -->\n"
	AbsentEnd   = "<!-- end of absent settings -->\n"
)

// AbsentMarkdown is the table of gunicorn's settings that do not exist, for docs/differences.md.
func AbsentMarkdown() string {
	var text strings.Builder
	text.WriteString("| setting of gunicorn's | given another value than its default | instead |\n|---|---|---|\n")
	for _, s := range absent {
		what := "refused"
		if s.Unused {
			what = "no effect, a warning"
		}
		name := "`" + s.Name + "`"
		for _, option := range s.spellings() {
			name += " `" + option + "`"
		}
		fmt.Fprintf(&text, "| %s | %s | %s |\n", name, what, markdownText(s.Instead))
	}
	return text.String()
}

// markdownText keeps the characters that a description uses from meaning something else.
func markdownText(doc string) string {
	return strings.NewReplacer("*", `\*`, "<", "&lt;", "_", `\_`, "|", `\|`).Replace(doc)
}
