package config

import (
	"strings"
	"testing"
)

func multi(t *testing.T, more map[string]string) (Multi, error) {
	t.Helper()
	values := map[string]string{"PLANEXE_FRONTEND_MULTIUSER_ADMIN_USERNAME": "root", "PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD": " a long pass phrase "}
	for k, v := range more {
		values[k] = v
	}
	var m Multi
	err := Load(&m, NewEnv(values))
	return m, err
}

// Ensure the interface finds the workers' database unless it is told otherwise, and that the port of the host is not its own.
func TestMulti(t *testing.T) {
	m, err := multi(t, map[string]string{"PLANEXE_POSTGRES_HOST": "db", "PLANEXE_FRONTEND_MULTIUSER_DB_USER": "ui", "PLANEXE_FRONTEND_MULTIUSER_PORT": "6001"})
	if err != nil {
		t.Fatal(err)
	}
	dsn, err := m.DSN()
	port, _ := m.Listen()
	if err != nil || dsn != "postgres://ui:planexe@db:5432/planexe" || port != 5000 || m.AdminPassword != "a long pass phrase" || m.Locked() {
		t.Errorf("%s, port %d, %v, locked %v", dsn, port, err, m.Locked())
	}
}

// Ensure that a password everybody knows locks the interface, and a partner's door needs a secret.
func TestMultiRefuses(t *testing.T) {
	for password, locked := range map[string]bool{"admin": true, "Changeme": true, "root": true, "CHANGE_ME_please": true, "planexe": true, "another phrase of mine": false} {
		m, err := multi(t, map[string]string{"PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD": password})
		if err != nil || m.Locked() != locked {
			t.Errorf("%q: locked %v, %v", password, m.Locked(), err)
		}
	}
	for name, more := range map[string]map[string]string{
		"PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD": {"PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD": "  "}, "PLANEXE_PARTNER_SECRET": {"PLANEXE_FRONTEND_MULTIUSER_PUBLIC_RUN": "post"},
		"PLANEXE_FRONTEND_MULTIUSER_PUBLIC_RUN": {"PLANEXE_FRONTEND_MULTIUSER_PUBLIC_RUN": "yes"}, "PLANEXE_TRUSTED_PROXIES": {"PLANEXE_TRUSTED_PROXIES": "everybody"},
		"PLANEXE_FRONTEND_MULTIUSER_FRAME_ANCESTORS": {"PLANEXE_FRONTEND_MULTIUSER_FRAME_ANCESTORS": "https://a.example; script-src *"}, "PLANEXE_PUBLIC_URL": {"PLANEXE_PUBLIC_URL": "plans.example.org"},
		"PLANEXE_FRONTEND_MULTIUSER_SIGNUP": {"PLANEXE_FRONTEND_MULTIUSER_SIGNUP": "on"}, "PLANEXE_MULTIUSER_QUEUE_LIMIT": {"PLANEXE_MULTIUSER_QUEUE_LIMIT": "-1"},
	} {
		if _, err := multi(t, more); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: %v", more, err)
		}
	}
}
