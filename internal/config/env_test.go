package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadEnvMerges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := write(t, dir, ".env", "A=file\nB=file\nC=file\nD=${B}\n"+PathVar+"=/elsewhere\n")
	env, err := loadEnv([]string{"B=real", "C=", "E=x=y", "odd"}, []string{t.TempDir(), dir})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"A": "file", "B": "real", "C": "file", "D": "file", "E": "x=y", PathVar: "", "NO": ""} {
		if got, ok := env.Lookup(name); got != want || ok != (want != "") {
			t.Errorf("%s is %q, %v; want %q", name, got, ok, want)
		}
	}
	if env.File() != path {
		t.Errorf("read %q, want %q", env.File(), path)
	}
}

func TestLoadEnvSearch(t *testing.T) {
	t.Parallel()
	first, second, empty := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, first, ".env", "A=first")
	write(t, second, ".env", "A=second")
	if err := os.Mkdir(filepath.Join(empty, ".env"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path string
		want, err  string
	}{
		{"unset", "", "second", ""},
		{"directory with a file", first, "first", ""},
		{"directory without one goes on", empty, "second", ""},
		{"relative", "conf", "", `PLANEXE_CONFIG_PATH is "conf"`},
		{"missing", filepath.Join(empty, "no"), "", "PLANEXE_CONFIG_PATH is"},
		{"a file", filepath.Join(first, ".env"), "", "PLANEXE_CONFIG_PATH is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env, err := loadEnv([]string{PathVar + "=" + tt.path}, []string{second})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, want %q", err, tt.err)
				}
				return
			}
			if got, _ := env.Lookup("A"); err != nil || got != tt.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestLoadEnvErrorNamesFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := write(t, dir, ".env", "A=1\nB='open")
	_, err := loadEnv(nil, []string{dir})
	if err == nil || !strings.Contains(err.Error(), path+": line 2") {
		t.Errorf("got %v", err)
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := write(t, dir, "key", "\n from-file \n")
	blank := write(t, dir, "blank", "\n")
	sample := write(t, dir, "sample", "YOUR_API_KEY")
	for _, tt := range []struct {
		name   string
		values map[string]string
		want   string
		fails  bool
	}{
		{"unset", nil, "", false},
		{"itself", map[string]string{"K": "v", "K_FILE": file}, "v", false},
		{"file", map[string]string{"K_FILE": file}, "from-file", false},
		{"placeholder", map[string]string{"K": "sk-YOUR_API_KEY"}, "", false},
		{"placeholder and file", map[string]string{"K": "YOUR_API_KEY", "K_FILE": file}, "from-file", false},
		{"blank file", map[string]string{"K_FILE": blank}, "", false},
		{"placeholder in the file", map[string]string{"K_FILE": sample}, "", false},
		{"missing file", map[string]string{"K_FILE": dir + "/no"}, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok, err := NewEnv(tt.values).Secret("K")
			if (err != nil) != tt.fails || ok && got == "" || ok != (tt.want != "") || ok && got != tt.want {
				t.Errorf("got %q, %v, %v", got, ok, err)
			}
			if err != nil && !strings.Contains(err.Error(), "K_FILE") {
				t.Errorf("%v does not name the variable", err)
			}
		})
	}
}

func TestWithLeavesTheOriginal(t *testing.T) {
	t.Parallel()
	env := NewEnv(map[string]string{"A": "1", "B": "2"})
	other := env.With("A", "3").With("B", "")
	if a, _ := env.Lookup("A"); a != "1" {
		t.Errorf("the original has A=%q", a)
	}
	if a, _ := other.Lookup("A"); a != "3" {
		t.Errorf("the copy has A=%q", a)
	}
	if _, ok := other.Lookup("B"); ok {
		t.Error("B is still set in the copy")
	}
}
