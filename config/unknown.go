package config

import (
	"slices"
	"strings"
)

// unknownOption explains an option that does not exist, or the beginning of several. option has its dashes.
func unknownOption(option, source string) *UsageError {
	name, long := strings.CutPrefix(option, "--")
	if !long {
		return usagef("unknown option %s%s; see pyhost --help", option, inSource(source))
	}
	candidates := completions(name)
	// One letter short of an option is a slip of the finger (--worker for --workers), not an abbreviation.
	slip := slices.IndexFunc(candidates, func(c string) bool { return len(c) == len(name)+1 })
	switch {
	case slip >= 0:
		return usagef("unknown option %s%s; did you mean --%s?", option, inSource(source), candidates[slip])
	case len(candidates) > 1:
		return usagef("ambiguous option %s%s; it could be %s", option, inSource(source), alternatives(candidates))
	}
	if nearest := nearestFlag(name); nearest != "" {
		return usagef("unknown option %s%s; did you mean --%s?", option, inSource(source), nearest)
	}
	return usagef("unknown option %s%s; see pyhost --help", option, inSource(source))
}

// alternatives is "--a, --b or --c".
func alternatives(names []string) string {
	last := len(names) - 1
	return "--" + strings.Join(names[:last], ", --") + " or --" + names[last]
}

// nearestFlag is the option that name was probably meant to be, "" if none is near. A setting's own name leads to its
// option: --pidfile to --pid.
func nearestFlag(name string) string {
	return nearest(name, func(yield func(spelling, answer string)) {
		for _, flag := range longFlags() {
			yield(flag, flag)
		}
		for _, s := range known() {
			if len(s.Flags) > 0 {
				yield(s.Name, s.Flags[0])
			}
		}
	})
}

// nearestSetting is the setting that name was probably meant to be, "" if none is near. An option leads to its
// setting: preload to preload_app.
func nearestSetting(name string) string {
	return nearest(name, func(yield func(spelling, answer string)) {
		for _, s := range known() {
			yield(s.Name, s.Name)
			for _, flag := range s.Flags {
				yield(flag, s.Name)
			}
		}
	})
}

// isFunction is the end of a message about a hook that is set like a value.
func (s *Setting) isFunction() string {
	return s.Name + " is a function; define it in a Python config file, such as ./" + pythonFile
}

// unknownName is the end of a message about a name that is no setting; show writes a setting as it would be there.
func unknownName(name string, show func(setting string) string) string {
	if setting := nearestSetting(name); setting != "" {
		return "is unknown; did you mean " + show(setting) + "?"
	}
	return "is unknown; see pyhost --help"
}

// nearest is the answer whose spelling is the fewest letters from name, if no more than a third of them differ. Case,
// and the choice between - and _, do not count.
func nearest(name string, each func(yield func(spelling, answer string))) string {
	name = fold(name)
	best, answer := max(1, len(name)/3)+1, ""
	each(func(spelling, a string) {
		if d := distance(name, fold(spelling)); d < best {
			best, answer = d, a
		}
	})
	return answer
}

func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "-", "_") }

// distance is the number of letters to insert, remove, replace or swap with their neighbour to get from a to b.
func distance(a, b string) int {
	beforeLast := make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], beforeLast[j-2]+1)
			}
		}
		beforeLast, last, row = last, row, beforeLast
	}
	return last[len(b)]
}
