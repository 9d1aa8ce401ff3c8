package config

import (
	"net/url"
	"testing"
)

// Ensure that the database is found by its parts or its address, that empty values count as unset, and that what an address
// says of encryption reaches the driver.
func TestDSN(t *testing.T) {
	t.Parallel()
	const uri, host, port, name, user, password = "SQLALCHEMY_DATABASE_URI", "PLANEXE_POSTGRES_HOST", "PLANEXE_POSTGRES_PORT", "PLANEXE_POSTGRES_DB", "PLANEXE_POSTGRES_USER", "PLANEXE_POSTGRES_PASSWORD"
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "postgres://planexe:planexe@database_postgres:5432/planexe"},
		{map[string]string{uri: "", host: "", port: "", name: "", user: "", password: ""}, "postgres://planexe:planexe@database_postgres:5432/planexe"},
		{map[string]string{host: "db", port: "5433", name: "d", user: "u", password: "p@/"}, "postgres://u:p%40%2F@db:5433/d"},
		{map[string]string{host: "::1"}, "postgres://planexe:planexe@[::1]:5432/planexe"},
		{map[string]string{uri: "postgresql+psycopg2://u:p@h:1/d?sslmode=verify-full", host: "other"}, "postgres://u:p@h:1/d?sslmode=verify-full"},
	} {
		var d Database
		if err := Load(&d, NewEnv(c.env)); err != nil {
			t.Errorf("%v: %v", c.env, err)
			continue
		}
		got, err := d.DSN()
		if _, parsed := url.Parse(got); err != nil || parsed != nil || got != c.want {
			t.Errorf("%v: %s, %v", c.env, got, err)
		}
	}
}
