package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWorker(t *testing.T) {
	var w Worker
	if err := Load(&w, NewEnv(nil)); err != nil {
		t.Fatal(err)
	}
	if w.Host != "0.0.0.0" || w.Port != 8000 || w.MaxRuns != 8 || bool(w.Relay) || bool(w.PurgeEnabled) || w.PurgeAge != 1 || w.PurgeInterval.Duration() != time.Hour ||
		w.PurgePrefix != "PlanExe_" || w.Token != "" || w.RunDir != "run" || w.Concurrency != 8 {
		t.Errorf("defaults %+v", w)
	}
	env := NewEnv(map[string]string{
		"PLANEXE_WORKER_RELAY_PROCESS_OUTPUT": "TRUE", "PLANEXE_PURGE_ENABLED": "yes", "PLANEXE_WORKER_ALLOWED_ORIGINS": " https://a.example, ,http://b:1 ",
		"PLANEXE_WORKER_TOKEN": "secret-token", "PLANEXE_PURGE_MAX_AGE_HOURS": "0.5", "PLANEXE_CONFIG_PATH": "/app",
	})
	w = Worker{}
	if err := Load(&w, env); err != nil {
		t.Fatal(err)
	}
	w.PlaceRuns(env)
	if !bool(w.Relay) || bool(w.PurgeEnabled) || !slices.Equal(w.AllowedOrigins, []string{"https://a.example", "http://b:1"}) || string(w.Token) != "secret-token" || w.PurgeAge != 0.5 ||
		w.RunDir != filepath.Join("/app", "run") {
		t.Errorf("%+v", w)
	}
	w = Worker{}
	if err := Load(&w, NewEnv(map[string]string{"PORT": "9000", "PLANEXE_WORKER_PORT": "9001"})); err != nil {
		t.Fatal(err)
	}
	if port, name := w.Listen(); port != 9000 || name != "PORT" {
		t.Errorf("a platform's port: %d of %s", port, name)
	}
	for name, value := range map[string]string{
		"PORT": "70000", "PLANEXE_WORKER_PORT": "65536", "PLANEXE_WORKER_MAX_RUNS": "0", "PLANEXE_PURGE_MAX_AGE_HOURS": "-1", "PLANEXE_PURGE_INTERVAL_SECONDS": "0.5",
		"PLANEXE_WORKER_ALLOWED_ORIGINS": "https://a.example/path", "PLANEXE_LLM_CONCURRENCY": "0",
	} {
		err := Load(&Worker{}, NewEnv(map[string]string{name: value}))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	if err := Load(&Worker{}, NewEnv(map[string]string{"PLANEXE_PURGE_MAX_AGE_HOURS": "NaN"})); err == nil {
		t.Error("NaN is taken for an age")
	}
}
