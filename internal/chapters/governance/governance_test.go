package governance

import (
	"strings"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

func paths(found []schema.Problem) string {
	var out []string
	for _, p := range found {
		if !p.Soft {
			out = append(out, "hard:")
		}
		out = append(out, p.Path)
	}
	return strings.Join(out, " ")
}

func TestCheckBodies(t *testing.T) {
	t.Parallel()
	list := func(above ...int) (a bodies) {
		for i, n := range above {
			a.Bodies = append(a.Bodies, body{Name: string(rune('A' + i)), Above: n})
		}
		return a
	}
	twice := list(0, 1)
	twice.Bodies[1].Name = " a"
	for name, tc := range map[string]struct {
		in    bodies
		want  string
		above []int
	}{
		"upwards":      {list(0, 1, 1, 0), "", []int{0, 1, 1, 0}},
		"to itself":    {list(1), "", []int{0}},
		"downwards":    {list(0, 3, 1), "", []int{0, 1, 1}},
		"to nobody":    {list(0, 9), "", []int{0, 1}},
		"named so too": {twice, "internal_governance_bodies[1].name", []int{0, 1}},
	} {
		if got := paths(checkBodies(&tc.in)); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		for i, want := range tc.above {
			if got := tc.in.Bodies[i].Above; got != want {
				t.Errorf("%s: body %d escalates to %d, want %d", name, i+1, got, want)
			}
		}
	}
}

func TestCheckSetup(t *testing.T) {
	t.Parallel()
	steps := func(who ...string) (out []setupStep) {
		for _, w := range who {
			out = append(out, setupStep{Responsible: w})
		}
		return out
	}
	for name, tc := range map[string]struct {
		in   setup
		want string
	}{
		"good":                    {setup{steps("lead", "lead", "Board"), []milestone{{"Board", 1, 3}}}, ""},
		"one step for both":       {setup{steps("lead"), []milestone{{"Board", 1, 1}}}, ""},
		"works before it exists":  {setup{steps("lead", "board ", "lead"), []milestone{{"Board", 1, 3}}}, "governance_implementation_plan[1].responsible_body_or_role"},
		"another one may work":    {setup{steps("Board", "Board"), []milestone{{"Board", 1, 1}, {"Team", 2, 2}}}, ""},
		"meets without members":   {setup{steps("lead", "lead"), []milestone{{"Board", 2, 1}}}, "milestones[0]"},
		"a step that is not":      {setup{steps("lead"), []milestone{{"Board", 1, 2}}}, "milestones[0]"},
		"members that are not":    {setup{steps("lead"), []milestone{{"Board", 2, 1}}}, "milestones[0]"},
		"a step far out of range": {setup{steps("lead"), []milestone{{"Board", 1, 1 << 40}}}, "milestones[0]"},
	} {
		if got := paths(checkSetup(&tc.in)); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// What the steps do with a file that was edited by hand or made by another program.
func TestReadBodies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		file   string
		levels string // "" when the step must fail
	}{
		"ours":              {`{"internal_governance_bodies":[{"name":"Board"},{"name":"Team"}],"sponsor_role":"Bank"}`, "Board|Team|Bank"},
		"no sponsor":        {`{"internal_governance_bodies":[{"name":"Board"}]}`, "Board|Sponsor"},
		"sponsor is a body": {`{"internal_governance_bodies":[{"name":"The owner"}],"sponsor_role":"the  owner"}`, "The owner"},
		"a name twice":      {`{"internal_governance_bodies":[{"name":"Board"},{"name":" board\n"},{"name":""}],"sponsor_role":"Bank"}`, "Board|Bank"},
		"no bodies":         {`{"internal_governance_bodies":[],"sponsor_role":"Bank"}`, ""},
		"another file":      {`[]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[plan.Artifact]string{plan.BodiesRaw: tc.file}
			for a, text := range given {
				files[a] = text
			}
			var levels string
			run := chaptertest.Case{
				Chapters: []step.Chapter{{Name: "governance", Prompts: prompts, Steps: []step.Step{Escalation}}}, Given: files,
				Answer: func(r llm.Request, _ int) any {
					enum := r.Schema.Fields[0].Schema.Items.Fields[1].Schema.Enum
					levels = strings.Join(enum, "|")
					return escalation{[]issue{{"a", enum[0], "b", "c", "d"}}}
				},
			}.Run(t)
			if levels != tc.levels || (tc.levels == "") != (len(run.Result.Failed) == 1) {
				t.Errorf("levels are %q, failed %v; want levels %q", levels, run.Result.Failed, tc.levels)
			}
		})
	}
}

func TestEmptyAudit(t *testing.T) {
	t.Parallel()
	want := "\n## Audit - Corruption Risks\n\n\n## Audit - Misallocation Risks\n\n- beans\n\n## Audit - Procedures\n\n\n## Audit - Transparency Measures"
	if got := (audit{Misallocation: []string{"beans"}}).Markdown(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
