package config

import "testing"

// BenchmarkLoad is what each start and each reload costs.
func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	env := scene{env: map[string]string{"GUNICORN_CMD_ARGS": "-w 3"}}.environment()
	for b.Loop() {
		if _, err := load([]string{"m:a", "--threads=4"}, env, dir); err != nil {
			b.Fatal(err)
		}
	}
}
