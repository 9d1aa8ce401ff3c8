package config

import (
	"strings"
	"testing"
)

// Ensure that the opener listens beyond loopback only with a token that cannot be guessed.
func TestOpener(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef"
	for _, tt := range []struct {
		name, host, token, port, err string
	}{
		{"defaults", "", "", "", ""},
		{"loopback v6", "::1", "", "", ""},
		{"loopback by name", "localhost", "", "", ""},
		{"any of loopback", "127.8.9.1", "", "", ""},
		{"token on loopback", "", token, "", ""},
		{"bridge with a token", "172.17.0.1", token, "", ""},
		{"bridge without", "172.17.0.1", "", "", "PLANEXE_OPEN_DIR_SERVER_TOKEN has to be set"},
		{"everywhere without", "0.0.0.0", "", "", "PLANEXE_OPEN_DIR_SERVER_TOKEN has to be set"},
		{"everywhere v6 without", "::", "", "", "PLANEXE_OPEN_DIR_SERVER_TOKEN has to be set"},
		{"a name that is none of ours", "localhost.example.org", "", "", "PLANEXE_OPEN_DIR_SERVER_TOKEN has to be set"},
		{"short token", "", token[1:], "", "TOKEN is too short"},
		{"no port", "", "", "0", "PLANEXE_OPEN_DIR_SERVER_PORT"},
		{"port too high", "", "", "65536", "PLANEXE_OPEN_DIR_SERVER_PORT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var o Opener
			err := Load(&o, NewEnv(map[string]string{
				"PLANEXE_OPEN_DIR_SERVER_HOST": tt.host, "PLANEXE_OPEN_DIR_SERVER_TOKEN": tt.token, "PLANEXE_OPEN_DIR_SERVER_PORT": tt.port,
			}))
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Fatalf("got %v, want %q", err, tt.err)
			}
			if err != nil && tt.token != "" && strings.Contains(err.Error(), tt.token) {
				t.Errorf("%v shows the token", err)
			}
			if tt.name == "defaults" && (o.Host != "127.0.0.1" || o.Port != 5100 || o.RunDir != "run") {
				t.Errorf("the defaults are %+v", o)
			}
		})
	}
}
