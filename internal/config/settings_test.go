package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type sample struct {
	Pipeline
	Key  Secret  `envconfig:"CFGTEST_KEY" demanded:"true" desc:"the key"`
	Wait Seconds `envconfig:"CFGTEST_WAIT" default:"30"`
}

// Load writes to the process environment, so these tests do not run in parallel.
func TestLoad(t *testing.T) {
	t.Setenv("CFGTEST_WAIT", "7s") // the process environment is no source of its own
	t.Setenv("PLANEXE_REDLINE", "")
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("top secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var s sample
	err := Load(&s, NewEnv(map[string]string{
		"CFGTEST_KEY_FILE": path, "PLANEXE_LOG_LEVEL": "warning", "PLANEXE_MAX_COST": "0.5",
		"PLANEXE_LLM_CONCURRENCY": "", "SPEED_VS_DETAIL": "fast_but_skip_details", "PLANEXE_TRACK_ACTIVITY": "true",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if string(s.Key) != "top secret" || s.Wait.Duration() != 30*time.Second || s.RunDir != "run" || s.Concurrency != 8 ||
		s.LogLevel.Level != slog.LevelWarn || s.MaxCost == nil || *s.MaxCost != 0.5 || s.Redline != RedlineStop ||
		s.Model != "auto" || s.Speed != SkipDetails || !s.TrackActivity {
		t.Errorf("got %+v", s)
	}
	if v := os.Getenv("CFGTEST_WAIT"); v != "7s" {
		t.Errorf("CFGTEST_WAIT is %q afterwards", v)
	}
	if v, ok := os.LookupEnv("PLANEXE_REDLINE"); v != "" || !ok {
		t.Errorf("PLANEXE_REDLINE is %q, %v afterwards", v, ok)
	}
	if _, ok := os.LookupEnv("CFGTEST_KEY"); ok {
		t.Error("CFGTEST_KEY is still set")
	}
}

func TestLoadDefaults(t *testing.T) {
	var p Pipeline
	if err := Load(&p, NewEnv(nil)); err != nil {
		t.Fatal(err)
	}
	if p.MaxCost != nil || p.Speed != AllDetails || p.LogLevel.Level != slog.LevelInfo || p.LogLevel.Unknown != "" || p.TrackActivity {
		t.Errorf("got %+v", p)
	}
}

func TestLoadErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values map[string]string
		want   []string
		not    string
	}{
		{"all wrong ones at once", map[string]string{"CFGTEST_KEY": "k", "PLANEXE_LLM_CONCURRENCY": "many", "PLANEXE_REDLINE": "maybe", "CFGTEST_WAIT": "-1", "PLANEXE_TRACK_ACTIVITY": "si"},
			[]string{`PLANEXE_LLM_CONCURRENCY is "many": allowed is a whole number`, `PLANEXE_REDLINE is "maybe": allowed are stop, warn`,
				`CFGTEST_WAIT is "-1": allowed are seconds`, `PLANEXE_TRACK_ACTIVITY is "si": allowed is true or false`}, "required"},
		{"speed", map[string]string{"CFGTEST_KEY": "k", "SPEED_VS_DETAIL": "x"}, []string{"all_details_but_slow, fast_but_skip_details"}, ""},
		{"ranges", map[string]string{"CFGTEST_KEY": "k", "PLANEXE_LLM_CONCURRENCY": "0", "PLANEXE_MAX_COST": "-1"},
			[]string{`PLANEXE_LLM_CONCURRENCY is "0": allowed is 1 to 256`, `PLANEXE_MAX_COST is "-1"`}, ""},
		{"no number", map[string]string{"CFGTEST_KEY": "k", "PLANEXE_MAX_COST": "NaN"}, []string{"PLANEXE_MAX_COST"}, ""},
		{"missing", nil, []string{"CFGTEST_KEY is not set", "the key"}, ""},
		{"missing, mistyped and out of range at once", map[string]string{"CFGTEST_KEY": " ", "CFGTEST_WAIT": "soon", "PLANEXE_LLM_CONCURRENCY": "0"},
			[]string{"CFGTEST_KEY is not set", `CFGTEST_WAIT is "soon"`, `PLANEXE_LLM_CONCURRENCY is "0"`}, "read settings"},
		{"missing file", map[string]string{"CFGTEST_KEY_FILE": "/no/such/file"}, []string{"CFGTEST_KEY_FILE"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s sample
			err := Load(&s, NewEnv(tt.values))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
			if tt.not != "" && strings.Contains(err.Error(), tt.not) {
				t.Errorf("%v\nhas %q", err, tt.not)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	vars := Variables(&sample{})
	byName := map[string]Variable{}
	for _, v := range vars {
		byName[v.Name] = v
	}
	if len(vars) != 11 || vars[0].Name != "PLANEXE_RUN_DIR" {
		t.Errorf("got %d, the first %q", len(vars), vars[0].Name)
	}
	if k := byName["CFGTEST_KEY"]; !k.Secret || !k.Required || k.Description != "the key" {
		t.Errorf("got %+v", k)
	}
}

func TestLogLevel(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]slog.Level{"debug": -4, "INFO": 0, " Warning ": 4, "ERROR": 8, "critical": 12, "loud": 0} {
		var l LogLevel
		if err := l.Decode(name); err != nil || l.Level != want || (l.Unknown != "") != (name == "loud") {
			t.Errorf("%q: %+v, %v", name, l, err)
		}
	}
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"30": 30 * time.Second, "30s": 30 * time.Second, " 2.5 ": 2500 * time.Millisecond, "5m": 5 * time.Minute, "0": 0,
		"": -1, "soon": -1, "-1": -1, "-5s": -1, "NaN": -1, "Inf": -1, "1e300": -1,
	} {
		var s Seconds
		if err := s.Decode(value); (err != nil) != (want < 0) || err == nil && s.Duration() != want {
			t.Errorf("%q: %v, %v", value, s.Duration(), err)
		}
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()
	v := struct{ Key Secret }{"sk-12345678"}
	text, _ := json.Marshal(v)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v, "key", v.Key)
	for _, s := range []string{fmt.Sprint(v), fmt.Sprintf("%+v %#v %q %x %s", v, v, v.Key, v.Key, v.Key), string(text), log.String()} {
		if strings.Contains(s, "12345678") || strings.Contains(s, fmt.Sprintf("%x", "12345678")) {
			t.Errorf("%s shows it", s)
		}
	}
}
