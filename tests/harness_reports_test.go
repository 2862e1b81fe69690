package tests

// processReport is what pyapps/process answers.
type processReport struct {
	PID       int `json:"pid"`
	Parent    int `json:"ppid"`
	ImportPID int `json:"import_pid"`
	// LoadedBefore says of some modules whether they were there before the application's own imports.
	LoadedBefore map[string]bool `json:"loaded_before"`
	Marker       int             `json:"marker"`
	Prefix       string          `json:"prefix"`
	Executable   string          `json:"executable"`
	Directory    string          `json:"cwd"`
	Environment  string          `json:"environment"`
	Server       string          `json:"server"`
	Remote       string          `json:"remote"`
}

// process asks pyapps/process who serves.
func (s *Server) process() processReport {
	s.t.Helper()
	var report processReport
	s.Get("/").JSON(s.t, &report)
	return report
}
