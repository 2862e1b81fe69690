package config

import "testing"

func init() {
	for _, s := range hookSettings {
		settingCases = append(settingCases,
			settingCase{s.Name, nil, "shop.hooks.run", `"shop.hooks.run"`, "shop.hooks.run"})
	}
}

func TestHookNames(t *testing.T) {
	for text, problem := range map[string]string{
		"hooks.post_fork": "", "a.b.c_1": "", "<post_fork()>": "", "": "",
		"post_fork": "m", "hooks:post_fork": "m", "hooks.": "m", "a b.c": "m", ".x": "m",
	} {
		got, err := hookItem("/", text)
		if (err != nil) != (problem != "") || err == nil && got != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestHookOfConfig(t *testing.T) {
	c := scene{files: map[string]string{"pyhost.toml": "on_exit = 'm.bye'\n"}, args: []string{"m:a"}}.load(t)
	if c.Hook("on_exit") != "m.bye" || c.Hook("on_starting") != "" || c.OnExit != "m.bye" {
		t.Errorf("%+v", c.Hooks)
	}
}
