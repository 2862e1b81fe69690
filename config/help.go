package config

import (
	"fmt"
	"strings"
)

// The help text fits the narrowest terminal in use; the descriptions begin in one column.
const (
	helpWidth  = 80
	helpColumn = 28
)

const helpHead = `Usage: pyhost [OPTIONS] [APP_MODULE]

Serve a Python WSGI application over HTTP. APP_MODULE is MODULE[:CALLABLE], for
example myproject.wsgi:application, or MODULE:FACTORY(ARGUMENTS). CALLABLE is
"application" if left out.
`

const helpFoot = `
Options may be shortened as long as they stay unambiguous; --SWITCH=false turns
a switch off again.

Each setting can also be given in a TOML file and in the environment. Its key is
the long option with underscores, unless a [key] is shown: worker_class = "sync"
in ./pyhost.toml, under [tool.pyhost] in ./pyproject.toml or in a Python file,
and PYHOST_WORKER_CLASS=sync. Settings shown without dashes have no option.

The strongest wins: the command line, PYHOST_<KEY>, options in PYHOST_CMD_ARGS,
options in GUNICORN_CMD_ARGS, the configuration file, the default.
`

// Help is the answer to --help: all settings by section, with their defaults. It ends with a newline.
func Help() string {
	var text strings.Builder
	text.WriteString(helpHead)
	section := ""
	for _, s := range settings {
		if s.Section != section {
			section = s.Section
			fmt.Fprintf(&text, "\n%s:\n", section)
		}
		writeEntry(&text, s.helpLabel(), s.optionDoc(), "["+s.helpNote()+"]")
	}
	text.WriteString("\nOther:\n")
	writeEntry(&text, "  -h, --help", "Show this text and exit.", "")
	writeEntry(&text, "  -v, --version", "Show the version and exit.", "")
	writeEntry(&text, "      --completions SHELL", completionsOption.Doc, "")
	text.WriteString(helpFoot)
	return text.String()
}

// optionDoc says what the option does; Doc is about the setting.
func (s *Setting) optionDoc() string {
	if s.off {
		return "Turns this off: " + s.Doc
	}
	return s.Doc
}

// helpLabel is "  -b, --bind ADDRESS", or the bare name of a setting that has no option.
func (s *Setting) helpLabel() string {
	if s.Type == Hook {
		return "  " + s.Name + s.Metavar
	}
	if len(s.Flags) == 0 {
		return "  " + s.Name
	}
	label := "      "
	if s.Short != "" {
		label = "  -" + s.Short + ", "
	}
	label += "--" + s.Flags[0]
	for _, flag := range s.Flags[1:] {
		if fold(flag) != fold(s.Flags[0]) { // a mere other spelling is not worth the room
			label += ", --" + flag
		}
	}
	if s.Metavar != "" {
		label += " " + s.Metavar
	}
	return label
}

// helpNote is "key: keepalive; default: 2".
func (s *Setting) helpNote() string {
	if s.Type == Hook {
		return "a function in a Python config file"
	}
	note := "default: " + s.defaultText()
	if len(s.Flags) > 0 && fold(s.Flags[0]) != s.Name {
		note = "key: " + s.Name + "; " + note
	}
	return note
}

// defaultText is the default as one would write it.
func (s *Setting) defaultText() string {
	if s.DefaultText != "" {
		return s.DefaultText
	}
	text := fmt.Sprint(s.Default)
	switch value := s.Default.(type) {
	case bool:
		text = map[bool]string{false: "off", true: "on"}[value]
	case []string:
		text = strings.Join(value, ",")
	case map[string]string:
		text = joinTable(value)
	}
	if text == "" {
		text = "none"
	}
	if s.Env != "" {
		text = "$" + s.Env + ", else " + text
	}
	return text
}

// writeEntry writes a label and beside it, or below it if it is long, its description. The note goes on a line of its
// own when that keeps it in one piece.
func writeEntry(text *strings.Builder, label, description, note string) {
	indent := strings.Repeat(" ", helpColumn)
	line := label
	if len(label) > helpColumn-2 {
		text.WriteString(label + "\n")
		line = ""
	}
	line += indent[len(line):]
	parts := strings.Fields(description)
	if len(note) <= helpWidth-helpColumn {
		parts = append(parts, note)
	} else {
		parts = append(parts, strings.Fields(note)...)
	}
	for _, part := range parts {
		switch {
		case len(line) == helpColumn:
			line += part
		case part != "" && len(line)+1+len(part) > helpWidth:
			text.WriteString(line + "\n")
			line = indent + part
		case part != "":
			line += " " + part
		}
	}
	text.WriteString(line + "\n")
}
