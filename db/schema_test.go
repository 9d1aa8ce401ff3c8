package db_test

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var update = flag.Bool("update", false, "write db/schema.sql anew")

// Ensure that schema.sql, from which sqlc makes the query functions, is what the migrations make.
func TestSchema(t *testing.T) {
	t.Parallel()
	got := describe(t, pgtest.Pool(t))
	if *update {
		if err := os.WriteFile("schema.sql", []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.sql")
	if err != nil || string(want) != got {
		t.Errorf("schema.sql is not what the migrations make (%v): run go test ./db -update && scripts/sqlc", err)
	}
}

// describe writes types and tables as SQL, without what no query function depends on.
func describe(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("-- Made by go test ./db -update from the migrations; read by sqlc. Indexes and triggers are left out.\n")
	lines := func(sql string, args ...any) []string {
		rows, err := pool.Query(context.Background(), sql, args...)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for _, name := range lines("select typname::text from pg_type where typtype = 'e' order by 1") {
		labels := lines("select quote_literal(enumlabel) from pg_enum e join pg_type t on t.oid = e.enumtypid where typname = $1 order by enumsortorder", name)
		fmt.Fprintf(&b, "\ncreate type %s as enum (%s);\n", name, strings.Join(labels, ", "))
	}
	for _, table := range lines("select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname !~ '^goose' order by 1") {
		columns := lines(`select attname || ' ' || format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end
			|| case when atthasdef or attidentity <> '' then ' default ' || coalesce(pg_get_expr(adbin, adrelid), '0') else '' end
			from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
			where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`, table)
		fmt.Fprintf(&b, "\ncreate table %s (\n  %s\n);\n", table, strings.Join(columns, ",\n  "))
	}
	return b.String()
}

// Ensure that the query functions were made from the present schema and queries.
func TestGenerated(t *testing.T) {
	t.Parallel()
	queries, err := filepath.Glob("queries/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, name := range append([]string{"../sqlc.yaml", "schema.sql"}, queries...) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		h.Write(data)
	}
	made, err := os.ReadFile("../internal/store/sqlc.sum")
	if err != nil || strings.TrimSpace(string(made)) != fmt.Sprintf("%x", h.Sum(nil)) {
		t.Errorf("internal/store/*.gen.go is older than db/queries or db/schema.sql (%v): run scripts/sqlc", err)
	}
}
