// Package compose makes the files that operators read out of the types that the programs are configured by:
// docker-compose.yml, .env.example and docs/configuration.md. A test proves that the committed ones are fresh.
package compose

import (
	"slices"

	"planexe/internal/config"
)

//go:generate go test -run TestFresh -update .

// Service is a program and what the environment can tell it.
type Service struct {
	Name      string
	About     string
	Variables []config.Variable
	Packages  []string // directories whose change makes another image, beside those of all services
}

// Numbered is how many database workers have a number and a container name.
const Numbered = 3

// Services returns the programs in the order in which people meet them.
func Services() []Service {
	return []Service{
		{Name: "worker_plan", About: "The HTTP API that makes plans, on port 8000.", Variables: variables(config.Worker{}, config.Owner{})},
		{Name: "frontend_single_user", About: "The web interface for one person, on port 7860.", Variables: variables(config.Single{})},
		{Name: "worker_plan_database", About: "Takes tasks from the queue in the database and makes their plans.", Variables: variables(config.DatabaseWorker{}, config.Owner{}), Packages: []string{"db"}},
		{Name: "frontend_multi_user", About: "The web interface for many people, on port 5000, 5001 on the host of the compose stack.", Variables: variables(config.Multi{}), Packages: []string{"db"}},
		{Name: "planexe", About: "The command, which is also the server of `planexe up`.", Variables: variables(config.Single{}, config.Worker{})},
		{Name: "planexe up --multi", About: "Interface for many people, worker and, when no database is configured, a database, on one computer; reads what frontend_multi_user and worker_plan_database read, too. `planexe migrate` and `planexe admin` look after the same database.", Variables: variables(config.Private{})},
		{Name: "planexe open-dir-server", About: "Opens folders on the desktop for a web interface in a container.", Variables: variables(config.Opener{})},
	}
}

// Stack returns what only the compose file reads: it never reaches a program.
func Stack() []config.Variable {
	return []config.Variable{
		{Name: "COMPOSE_PROFILES", Description: "multi makes the plain commands (up, down, logs) mean the stack for many people; unset is the one for one person"},
		{Name: "PLANEXE_HOST_RUN_DIR", Default: "run", Description: "directory of the host that holds the plans, absolute or relative to the compose file"},
		{Name: "PLANEXE_BIND_ADDRESS", Description: "address of the host on which the ports are published, such as 127.0.0.1; unset is all of them"},
		{Name: "PLANEXE_WORKER_PLAN_PORT", Default: "8000", Description: "port of the host for worker_plan"},
		{Name: "PLANEXE_FRONTEND_SINGLE_USER_PORT", Default: "7860", Description: "port of the host for frontend_single_user"},
		{Name: "PLANEXE_FRONTEND_MULTIUSER_PORT", Default: "5001", Description: "port of the host for frontend_multi_user"},
		{Name: "PLANEXE_POSTGRES_PORT", Default: "5432", Description: "port of the host for database_postgres; containers use 5432 always"},
		{Name: "PLANEXE_POSTGRES_DB", Default: "planexe", Description: "name of the database, made at the first start"},
		{Name: "PLANEXE_POSTGRES_USER", Default: "planexe", Description: "user of the database, made at the first start"},
		{Name: "PLANEXE_POSTGRES_PASSWORD", Default: "planexe", Description: "password of that user, set at the first start", Secret: true},
		{Name: "PLANEXE_VERSION", Default: "devel", Description: "version that the images say they are"},
		{Name: "PLANEXE_GO_IMAGE", Default: "golang:1.26-bookworm", Description: "base that the images are built in; for mirrors, or to pin a digest"},
		{Name: "PLANEXE_POSTGRES_IMAGE", Default: "postgres:16-alpine", Description: "base of database_postgres; for mirrors, or to pin a digest"},
	}
}

// variables lists those of some settings, each once.
func variables(specs ...any) []config.Variable {
	var all []config.Variable
	for _, spec := range specs {
		for _, v := range config.Variables(spec) {
			if !slices.ContainsFunc(all, func(o config.Variable) bool { return o.Name == v.Name }) {
				all = append(all, v)
			}
		}
	}
	return all
}
