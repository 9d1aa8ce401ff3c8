package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/compose"
	"planexe/internal/config"
)

// Load reads the environment and .env, and fills pointers to structs of package config. The error lists all wrong
// variables, a line each, and ends the program with code 2.
func Load(specs ...any) (config.Env, error) {
	env, err := config.LoadEnv()
	if err != nil {
		return env, &ExitError{wrongUse, err}
	}
	return env, Fill(env, specs...)
}

// Fill is Load for an environment that is read already.
func Fill(env config.Env, specs ...any) error {
	var lines []string
	for _, spec := range specs {
		if err := config.Load(spec, env); err != nil {
			lines = append(lines, strings.Split(err.Error(), "\n")...)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	var once []string // structs share variables
	for _, l := range lines {
		if !slices.Contains(once, l) {
			once = append(once, l)
		}
	}
	return &ExitError{wrongUse, errors.New(strings.Join(once, "\n"))}
}

// Remarks says what in an environment has no effect: a line for each PLANEXE_ variable that nobody knows.
func Remarks(env config.Env) []string {
	var remarks []string
	known := knownNames()
	for _, name := range env.Names() {
		if !strings.HasPrefix(name, prefix) || slices.Contains(known, name) || theirs(name) {
			continue
		}
		remark := name + " is no variable that PlanExe knows"
		if near := nearest(name, known); near != "" {
			remark += ": did you mean " + near + "?"
		}
		remarks = append(remarks, remark)
	}
	return remarks
}

const prefix = "PLANEXE_"

// knownNames are the variables of all programs and of the compose file.
func knownNames() []string {
	names := append(config.KeyVariables(), config.PathVar)
	vars := compose.Stack()
	for _, s := range compose.Services() {
		vars = append(vars, s.Variables...)
	}
	for _, v := range vars {
		names = append(names, v.Name)
		if v.Secret {
			names = append(names, v.Name+"_FILE")
		}
	}
	return names
}

// theirs tells names that mean something to the Python stack only: an old .env works as it is.
func theirs(name string) bool {
	name = strings.TrimPrefix(name, prefix)
	if slices.Contains([]string{"FRONTEND_MULTIUSER_DEBUG", "PUBLIC_BASE_URL", "API_KEY_SECRET", "DEDUP_WINDOW_SECONDS", "DOWNLOAD_TOKEN_TTL_SECONDS"}, name) {
		return true
	}
	return slices.ContainsFunc([]string{"MCP_", "OAUTH_", "STRIPE_", "TELEGRAM_", "CREDIT"}, func(p string) bool { return strings.HasPrefix(name, p) })
}

// nearest returns the name that a mistyped one is most like, "" when none is like it.
func nearest(name string, known []string) string {
	best, least := "", len(name)/3 // more than a third of it wrong is another name
	for _, k := range known {
		if d := distance(name[min(len(name), len(prefix)):], strings.TrimPrefix(k, prefix)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the characters to insert, delete or replace to make a of b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// description is the head of the help: what the program is, and what it is told by the environment.
func (p Program) description() string {
	if len(p.Settings) == 0 {
		return p.About
	}
	var vars []config.Variable
	for _, spec := range p.Settings {
		vars = append(vars, config.Variables(spec)...)
	}
	return fmt.Sprintf("%s\n\n%s", p.About, config.Usage(vars))
}
