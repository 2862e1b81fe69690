package config

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// pasteItem makes the file of --paste absolute; what is behind # is a name in it.
func pasteItem(dir, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	path, name, named := strings.Cut(text, "#")
	path = within(dir, path)
	if _, err := os.Stat(path); err != nil {
		return "", reason(err)
	}
	if named {
		path += "#" + name
	}
	return path, nil
}

// readPaste adds to the framework's layer what the PasteDeploy file says that the first of the layers names.
func (c *Config) readPaste(framework *layer, dir string, layers ...layer) *ValueError {
	uri, bad := strongest("paste", dir, layers)
	if bad != nil || uri == nil || uri == "" {
		return bad
	}
	path, _, _ := strings.Cut(uri.(string), "#")
	text, err := os.ReadFile(path)
	if err != nil {
		return &ValueError{Setting: "paste", Value: path, Problem: reason(err).Error()}
	}
	sections, bad := parseINI(string(text))
	if bad != nil {
		bad.Source = path
		return bad
	}
	global, bad := strongest("raw_paste_global_conf", dir, layers)
	if bad != nil {
		return bad
	}
	names := map[string]string{"here": filepath.Dir(path), "__file__": path}
	if pairs, ok := global.([]string); ok {
		for _, pair := range pairs {
			name, value, _ := strings.Cut(pair, "=")
			names[strings.ToLower(name)] = value
		}
	}
	found, bad := pasteLayer(path, sections, names)
	if bad != nil {
		return bad
	}
	maps.Copy(found, *framework)
	*framework = found
	return nil
}

// strongest is the value of a setting in the first of the layers that has it, nil if none has.
func strongest(name, dir string, layers []layer) (any, *ValueError) {
	for _, l := range layers {
		if g, ok := l[name]; ok {
			return settingNamed(name).value(g, dir)
		}
	}
	return nil, nil
}

// pasteLayer is what a PasteDeploy file sets.
func pasteLayer(path string, sections map[string][]iniEntry, names map[string]string) (layer, *ValueError) {
	found := layer{}
	if sections["loggers"] != nil && sections["handlers"] != nil && sections["formatters"] != nil {
		found["logconfig"] = given{texts: []string{path}, source: path}
	}
	for _, e := range sections["DEFAULT"] {
		if _, ok := names[e.key]; !ok {
			names[e.key] = e.value
		}
	}
	entries := map[string]iniEntry{}
	for _, e := range sections["server:main"] {
		entries[e.key] = e
		names[e.key] = e.value
	}
	// The other servers' settings are not ours.
	egg, _, _ := strings.Cut(entries["use"].value, "#")
	if egg != "egg:pyhost" && egg != "egg:gunicorn" {
		return found, nil
	}
	for key, e := range entries {
		value, bad := interpolate(e.value, names)
		if bad != nil {
			bad.Setting, bad.Source = key, at(path, e.line)
			return nil, bad
		}
		if bad := found.addPaste(key, value, at(path, e.line)); bad != nil {
			return nil, bad
		}
	}
	if host, port := found["host"], found["port"]; host.texts != nil || port.texts != nil {
		delete(found, "host")
		delete(found, "port")
		if _, ok := found["bind"]; !ok {
			found["bind"] = pasteBind(host, port)
		}
	}
	return found, nil
}

// addPaste adds one entry of [server:main]. host and port are those of other servers, and become bind.
func (l layer) addPaste(key, value, source string) *ValueError {
	if key == "use" {
		return nil
	}
	s := settingNamed(key)
	switch {
	case key == "host" || key == "port":
	case s == nil:
		show := func(setting string) string { return setting }
		return &ValueError{Source: source, Problem: "setting " + quote(key) + " " + unknownName(key, show)}
	case s.Name == "config" || s.Name == "paste":
		return &ValueError{Source: source, Problem: s.Name + " cannot be set in a file of PasteDeploy"}
	case s.words != nil:
		texts, err := s.words(value)
		if err != nil {
			return &ValueError{Setting: key, Value: value, Source: source, Problem: err.Error()}
		}
		l[key] = given{texts: texts, source: source}
		return nil
	}
	l[key] = given{texts: []string{value}, source: source}
	return nil
}

func pasteBind(host, port given) given {
	address, source := "127.0.0.1", port.source
	if host.texts != nil {
		address, source = host.texts[0], host.source
	}
	if strings.Contains(address, ":") {
		address = "[" + strings.Trim(address, "[]") + "]"
	}
	if port.texts != nil {
		address += ":" + port.texts[0]
	}
	return given{texts: []string{address}, source: source}
}
