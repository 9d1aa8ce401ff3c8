package compose

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/config"
)

const made = "Made by go generate ./internal/compose"

// EnvExample makes .env.example: keys and what is demanded to be filled in, everything else as a comment that shows its
// default. tmpl is the template of docker-compose.yml: what that fixes is left out.
func EnvExample(tmpl string) ([]byte, error) {
	m := maker{services: Services()}
	if _, err := m.fill(tmpl); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Settings of PlanExe: cp .env.example .env
# %s. All settings, with those for other ways to run it: docs/configuration.md
# Single quotes keep $ and # in a value as they are. After a change: docker compose up -d

# ---- Keys of model providers. One is enough; without any, the demo model writes made-up text.
`, made)
	for _, name := range config.KeyVariables() {
		if name == "OPENROUTER_API_KEY" {
			fmt.Fprintf(&b, "%s='YOUR_API_KEY'\n", name)
		}
	}
	for _, name := range config.KeyVariables() {
		if name != "OPENROUTER_API_KEY" {
			fmt.Fprintf(&b, "# %s='YOUR_API_KEY'\n", name)
		}
	}
	b.WriteString("\n# ---- The first administrator of the interface for many people. Compose demands both; with this password the interface stays locked.\n")
	fmt.Fprintf(&b, "PLANEXE_FRONTEND_MULTIUSER_ADMIN_USERNAME='admin'\nPLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD='CHANGE_ME'\n")

	seen := map[string]bool{"PLANEXE_FRONTEND_MULTIUSER_ADMIN_USERNAME": true, "PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD": true}
	section := func(title string, vars []config.Variable, leftOut func(string) bool) {
		fmt.Fprintf(&b, "\n# ---- %s\n", title)
		for _, v := range vars {
			if seen[v.Name] || leftOut(v.Name) {
				continue
			}
			seen[v.Name] = true
			value := v.Default
			if v.Secret {
				value = "'" + value + "'"
			}
			if i := slices.IndexFunc(m.settings, func(x setting) bool { return x.name == v.Name }); i >= 0 && value == "" {
				value = m.settings[i].value
			}
			if v.Name == "COMPOSE_PROFILES" {
				value = "multi"
			}
			fmt.Fprintf(&b, "# %s\n# %s=%s\n", v.Description, v.Name, value)
		}
	}
	section("The stack", Stack(), func(string) bool { return false })
	for _, s := range m.services[:4] {
		section(s.Name, s.Variables, func(name string) bool {
			return slices.Contains([]string{"RUN_ID_DIR", "PLANEXE_WORKER_ID"}, name) || slices.ContainsFunc(m.settings, func(x setting) bool { return x.name == name && x.fixed })
		})
	}
	return b.Bytes(), nil
}

// Configuration makes docs/configuration.md: every variable of every program.
func Configuration() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<!-- %s from the types in internal/config: edit those. -->

# Configuration

Programs read their environment, then a file `+"`.env`"+`, then take the default. An empty value counts as unset. `+"`.env` and `llm_config.json`"+` are
looked for in `+"`PLANEXE_CONFIG_PATH`"+` (an absolute directory, which `+"`.env`"+` cannot set), then in the working directory, then beside the program. A wrong value keeps
a program from starting, and it says all that are wrong at once. A variable marked *secret* can also stand in a file that `+"`NAME_FILE`"+` names, and is never shown.

In the compose stack `+"`.env`"+` does three things: it fills the `+"`${…}`"+` of `+"`docker-compose.yml`"+`, where the shell's variables win over it; it is the environment of our services,
where what the compose file fixes (paths and inner ports) wins over it; and it is mounted at `+"`/app/.env`"+`. After a change: `+"`docker compose up -d`"+` (`+"`restart`"+` does not read
it again). `+"`llm_config.json`"+` is read again for each plan; after an editor that saves by renaming, the container has to be restarted first.

## Keys

| variable | |
| --- | --- |
`, made)
	for _, name := range config.KeyVariables() {
		fmt.Fprintf(&b, "| `%s` | secret |\n", name)
	}
	b.WriteString("\n`llm_config.json` can name any other variable as `\"api_key\": \"${NAME}\"`. A key with `YOUR_API_KEY` in it counts as unset.\n\n## The compose stack\n\nRead by `docker-compose.yml` only.\n")
	table(&b, Stack())
	for _, s := range Services() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", s.Name, s.About)
		table(&b, s.Variables)
	}
	return b.Bytes()
}

func table(b *bytes.Buffer, vars []config.Variable) {
	b.WriteString("\n| variable | default | meaning |\n| --- | --- | --- |\n")
	for _, v := range vars {
		value, marks := "", ""
		if v.Default != "" {
			value = "`" + v.Default + "`"
		}
		if v.Required {
			marks += ", demanded"
		}
		if v.Secret {
			marks += ", *secret*"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s%s |\n", v.Name, value, strings.ReplaceAll(v.Description, "|", `\|`), marks)
	}
}
