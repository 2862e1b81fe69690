package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Dump is the answer to print_config: each setting with its value and where that comes from, by name, in the form of a
// TOML file that says the same. It ends with a newline.
func (c *Config) Dump() string {
	var rows [][2]string
	width := 0
	for _, s := range slices.SortedFunc(slices.Values(settings), func(a, b *Setting) int {
		return cmp.Compare(a.Name, b.Name)
	}) {
		if s.field == nil || s.Name == "check_config" || s.Name == "print_config" {
			continue
		}
		row := fmt.Sprintf("%s = %s", s.Name, tomlText(s.field(c)))
		rows = append(rows, [2]string{row, c.Source[s.Name]})
		if len(row) <= 60 { // a longer one does not push the others' remarks away
			width = max(width, len(row))
		}
	}
	var text strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&text, "%-*s  # %s\n", width, row[0], row[1])
	}
	return text.String()
}

// tomlText is the value in a field of Config as TOML.
func tomlText(field any) string {
	switch value := field.(type) {
	case *bool:
		return strconv.FormatBool(*value)
	case *int:
		return strconv.Itoa(*value)
	case *float64:
		text := strconv.FormatFloat(*value, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	case *string:
		return tomlString(*value)
	case *[]string:
		texts := make([]string, len(*value))
		for i, text := range *value {
			texts[i] = tomlString(text)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case *map[string]string:
		table := map[string]any{}
		for key, text := range *value {
			table[key] = text
		}
		return tomlTable(table)
	case *map[string]any:
		return tomlTable(*value)
	}
	return ""
}

func tomlTable(table map[string]any) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(table)) {
		pairs = append(pairs, tomlString(key)+" = "+tomlValue(table[key]))
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// tomlValue is a value within an Object.
func tomlValue(value any) string {
	switch v := value.(type) {
	case string:
		return tomlString(v)
	case map[string]any:
		return tomlTable(v)
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = tomlValue(item)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case nil:
		return `""` // TOML has no null
	}
	return fmt.Sprint(value)
}

// tomlString is a basic string. JSON's escapes are a part of TOML's.
func tomlString(text string) string {
	if !strings.ContainsAny(text, "'\n\r\t") && strings.ContainsAny(text, `"\`) && isPlain(text) {
		return "'" + text + "'" // easier to read
	}
	var quoted strings.Builder
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return `""`
	}
	return strings.ReplaceAll(strings.TrimSuffix(quoted.String(), "\n"), "\x7f", `\u007f`)
}

func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}
