package step

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"planexe/internal/plan"
)

func chapter(steps []Step, files map[string]string) Chapter {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys["prompts/"+name+".md"] = &fstest.MapFile{Data: []byte(text)}
	}
	return Chapter{Name: "test", Prompts: fsys, Steps: steps}
}

// Ensure that a prompt shows what its step declares, all of it, once, and nothing else.
func TestBuildChecksDocuments(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		user, more string
		want       []string // parts of the error; nil for none
	}{
		"each once":              {`{{doc "prompt"}} {{digest "team"}}`, "", nil},
		"in a condition":         {`{{doc "prompt"}} {{if .X}}{{doc "team"}}{{end}}`, "", nil},
		"in a later turn":        {`{{doc "prompt"}}`, `{{digest "team"}}`, nil},
		"in full beside":         {`{{doc "prompt"}} {{digest "team"}} {{full "team"}}`, "", nil},
		"not shown":              {`{{doc "prompt"}}`, "", []string{"step asks", `"team"`, "no prompt shows"}},
		"only in full":           {`{{doc "prompt"}} {{full "team"}}`, "", []string{"step asks", `"team"`, "no prompt shows"}},
		"shown twice":            {`{{doc "prompt"}} {{doc "team"}} {{if .X}}{{doc "team"}}{{end}}`, "", []string{"step asks", "asks.md", `"team"`, "twice"}},
		"as document and digest": {`{{doc "prompt"}} {{doc "team"}}`, `{{digest "team"}}`, []string{"step asks", `"team"`, "twice"}},
		"not declared":           {`{{doc "prompt"}} {{digest "team"}} {{doc "pitch"}}`, "", []string{"step asks", "asks.md", `"pitch"`, "not declare"}},
		"digest not declared":    {`{{doc "prompt"}} {{doc "team"}} {{digest "pitch"}}`, "", []string{"step asks", `"pitch"`, "not declare"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "note\n=== system\nYou ask.\n=== user\n" + tc.user
			if tc.more != "" {
				text += "\n=== more\n" + tc.more
			}
			_, err := Build("v", chapter([]Step{Func{
				Name: "asks", Prompts: []string{"asks"}, Needs: Docs(plan.Prompt), Uses: Docs(plan.Team), Calls: Once,
				Run: func(context.Context, *Work) error { return nil },
			}}, map[string]string{"asks": text}))
			if tc.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			for _, part := range tc.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, which lacks %q", err, part)
				}
			}
		})
	}
}

// Ensure that prompts get the numbers of the plan's size, digests, and what is to be read in full.
func TestRender(t *testing.T) {
	t.Parallel()
	docs := map[string]plan.File{"team": plan.Team, "pitch": plan.Pitch, "swot": plan.SWOT}
	p, err := parsePrompt("=== system\n{{counts.Team.Of \"role\" \"roles\"}}, {{size}}\n=== user\n{{digest \"team\"}}\n{{digest \"pitch\"}}\n{{range .Full}}{{full .}}\n{{end}}", docs)
	if err != nil {
		t.Fatal(err)
	}
	long := "# Team\n" + strings.Repeat("a baker bakes bread every day of the week. ", 200)
	read := func(name string) ([]byte, error) {
		if name == plan.Team.Name {
			return []byte(long), nil
		}
		return []byte("short"), nil
	}
	for scale, want := range map[plan.Scale]string{plan.Trivial: "1 to 2 roles, trivial", plan.Large: "9 to 15 roles, large", "": "5 to 8 roles, medium"} {
		if got, err := p.render("system", nil, view{read: read, scale: scale, digests: &sync.Map{}}); err != nil || got != want {
			t.Errorf("%q: %q, want %q (%v)", scale, got, want, err)
		}
	}
	got, err := p.render("user", map[string]any{"Full": []string{"team", "pitch"}}, view{read: read, digests: &sync.Map{}})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(got, "<document"); n != 3 || !strings.Contains(got, `<document name="team, in full">`) || !strings.Contains(got, digestMark) {
		t.Errorf("%d documents, want the digests of two and one of them in full:\n%.400s", n, got)
	}
	if _, err := p.render("user", map[string]any{"Full": []string{"secret"}}, view{read: read, digests: &sync.Map{}}); err == nil {
		t.Error("a document that is not declared is shown in full")
	}
	if len(got) < len(long)+400 {
		t.Errorf("%d bytes: the full document is not whole", len(got))
	}
}
