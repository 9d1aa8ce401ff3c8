// Package db holds the schema as SQL: the migrations that goose runs and the queries that sqlc
// makes package store from.
package db

import "embed"

// Migrations are the files of db/migrations, named in the order they run in.
//
//go:embed migrations/*.sql
var Migrations embed.FS
