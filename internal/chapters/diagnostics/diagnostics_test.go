package diagnostics

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

var (
	given   = map[plan.Artifact]string{plan.Prompt: "Plan:\nOpen a bakery"}
	allowed = redline{Verdict: plan.Allow, Rationale: "Bread harms nobody."}
	refused = redline{
		Verdict: plan.RefuseToPlan, Rationale: "It asks for a | poison.", Category: ptr("Biorisk"), Claim: ptr("making a toxin | at home"),
		Uplift: ptr(true), Severity: ptr("High"),
	}
)

func ptr[T any](v T) *T { return &v }

// later stands for the rest of the plan: it waits for the verdict.
var later = step.Chapter{Name: "later", Steps: []step.Step{step.Func{
	Name: "later", About: "Waits for the verdict", Data: step.Docs(plan.RedlineVerdict), Writes: step.Docs(plan.PurposePage), Calls: step.Calls(),
	Run: func(_ context.Context, w *step.Work) error { return w.WritePage(plan.PurposePage, "done") },
}}}

// respond answers the gate with the verdict and every lens but the missing ones, counted from 1.
func respond(t *testing.T, verdict redline, missing ...int) func(llm.Request, int) any {
	starts := make([]string, len(lenses))
	for i, l := range lenses {
		text, err := fs.ReadFile(prompts, "prompts/"+l.prompt+".md")
		if err != nil {
			t.Fatal(err)
		}
		_, system, _ := strings.Cut(string(text), "=== system\n")
		starts[i], _, _ = strings.Cut(system, "\n")
	}
	return func(r llm.Request, _ int) any {
		if r.Name == "redline_gate" {
			return verdict
		}
		for i, l := range lenses {
			if !strings.Contains(r.Messages[0].Content, starts[i]) {
				continue
			}
			for _, m := range missing {
				if m == i+1 {
					return chaptertest.Context()
				}
			}
			list := func(what string, n int) []string {
				out := []string{}
				for k := range n {
					out = append(out, fmt.Sprintf("%s %s %d", l.Name, what, k+1))
				}
				return out
			}
			return objection{
				Thesis: "[STRATEGIC] " + l.Name + " thesis", Reasons: list("reason", l.reasons[0]), Effects: list("effect", l.effects[0]),
				Evidence: list("evidence", i%2), BottomLine: "REJECT: no.",
			}
		}
		return "an unknown lens"
	}
}

func TestChapter(t *testing.T) {
	t.Parallel()
	run := chaptertest.Case{Chapters: []step.Chapter{Chapter, later}, Given: given, Answer: respond(t, allowed)}.Run(t)
	run.MustDo(t)
	chaptertest.MustAskAll(t, Chapter, run)
	chaptertest.Golden(t, "premise_attack", run.Read(t, plan.PremiseAttack))
	if len(run.Notes) > 0 {
		t.Errorf("notes about good answers: %v", run.Notes)
	}
	for _, s := range []struct {
		file plan.Artifact
		path []string
		keys string
	}{
		{plan.RedlineVerdict, nil, "verdict rationale_short violation_category violation_claim violation_capability_uplift violation_severity metadata"},
		{plan.PremiseAttackRaw, nil, "response_list metadata"},
		{plan.PremiseAttackRaw, []string{"response_list"}, "core_thesis reasons second_order_effects evidence bottom_line lens"},
		{plan.PremiseAttackRaw, []string{"metadata"}, "models"},
		{plan.PremiseAttackRaw, []string{"metadata", "models"}, "model_name llm_classname model_id system_prompt_index system_prompt_name"},
	} {
		if got := chaptertest.Keys(t, run.Read(t, s.file), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", s.file.Artifact().Name, s.path, got, s.keys)
		}
	}
}

func TestPremiseAttackWithoutSomeLenses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		missing []int
		ok      bool
		names   string
	}{
		"one":   {[]int{1}, true, "Accountability Spectrum Cascade Escalation"},
		"two":   {[]int{2, 4}, true, "Integrity Spectrum Escalation"},
		"three": {[]int{1, 2, 5}, false, ""},
		"all":   {[]int{1, 2, 3, 4, 5}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given, Answer: respond(t, allowed, tc.missing...)}.Run(t)
			if ok := len(run.Result.Failed) == 0; ok != tc.ok {
				t.Fatalf("failed steps: %v", run.Result.Failed)
			}
			if !tc.ok {
				if f := run.Result.Failed[0]; f.Step != "premise_attack" || run.Has(plan.PremiseAttack) || run.Has(plan.PremiseAttackRaw) {
					t.Errorf("failed step is %s; page written: %v", f.Step, run.Has(plan.PremiseAttack))
				}
				return
			}
			run.MustDo(t)
			var names, notes []string
			for _, part := range strings.Split(string(run.Read(t, plan.PremiseAttack)), "\n\n\n\n") {
				var n int
				var lens string
				if _, err := fmt.Sscanf(part, "### Premise Attack %d — %s", &n, &lens); err != nil || n != len(names)+1 {
					t.Errorf("attack %d begins with %.60q", len(names)+1, part)
				}
				names = append(names, lens)
			}
			if got := strings.Join(names, " "); got != tc.names {
				t.Errorf("the page has %s, want %s", got, tc.names)
			}
			for _, n := range run.Notes {
				notes = append(notes, n.Label)
			}
			var want []string
			for _, m := range tc.missing {
				want = append(want, fmt.Sprintf("lens/%d", m))
			}
			if diff := cmp.Diff(want, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			var raw attacks
			if err := json.Unmarshal(run.Read(t, plan.PremiseAttackRaw), &raw); err != nil {
				t.Fatal(err)
			}
			for i, s := range raw.Metadata.Models {
				if lenses[s.Index].Name != s.Name || raw.List[i].Lens != s.Name {
					t.Errorf("answer %d of lens %s has source %+v", i, raw.List[i].Lens, s)
				}
			}
		})
	}
}

func TestRefusalEndsTheRun(t *testing.T) {
	t.Parallel()
	for _, goOn := range []bool{false, true} {
		run := chaptertest.Case{
			Chapters: []step.Chapter{Chapter, later}, Given: given, Answer: respond(t, refused), Env: step.Env{AllowRefused: goOn},
		}.Run(t)
		if !run.Has(plan.RedlineVerdict) || !run.Has(plan.RedlinePage) {
			t.Errorf("allow refused %v: the gate's files are missing", goOn)
		}
		if got := run.Has(plan.PurposePage); got != goOn {
			t.Errorf("allow refused %v: a later step ran: %v", goOn, got)
		}
		end := run.Result.Ending
		switch {
		case goOn && end != nil:
			t.Errorf("the run ended although refused plans are allowed: %v", end)
		case !goOn && (end == nil || end.Outcome != event.Refused || end.Reason.Step != "redline_gate" || end.Reason.CanRetry):
			t.Errorf("ending is %+v, want refused by redline_gate, without retry", end)
		case !goOn && (!strings.Contains(end.Reason.Message, refused.Rationale) || end.Reason.Advice == ""):
			t.Errorf("the ending does not say why and what to do: %+v", end.Reason)
		}
	}
}

func TestOtherVerdictsGoOn(t *testing.T) {
	t.Parallel()
	for _, verdict := range []string{plan.Allow, plan.AllowFramed} {
		run := chaptertest.Case{
			Chapters: []step.Chapter{Chapter, later}, Given: given, Answer: respond(t, redline{Verdict: verdict, Rationale: "r", Category: ptr("Other"), Uplift: ptr(false)}),
		}.Run(t)
		run.MustDo(t)
		var got plan.Redline
		if err := json.Unmarshal(run.Read(t, plan.RedlineVerdict), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plan.Redline{Verdict: verdict, Rationale: "r"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", plan.RedlineVerdict.Name, diff)
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	full := plan.Redline{
		Verdict: refused.Verdict, Rationale: refused.Rationale, Category: refused.Category, Claim: refused.Claim, Uplift: refused.Uplift, Severity: refused.Severity,
	}
	with := func(change func(*redline)) redline {
		v := refused
		change(&v)
		return v
	}
	for name, tc := range map[string]struct {
		in    redline
		want  plan.Redline
		asked bool // again
	}{
		"refusal":           {refused, full, false},
		"nothing but a no":  {redline{Verdict: plan.RefuseToPlan, Rationale: "why"}, plan.Redline{Verdict: plan.RefuseToPlan, Rationale: "why", Category: ptr("Other"), Claim: ptr("why"), Uplift: ptr(true), Severity: ptr("High")}, true},
		"blank claim":       {with(func(v *redline) { v.Claim = ptr(" ") }), func() plan.Redline { f := full; f.Claim = ptr(refused.Rationale); return f }(), true},
		"no uplift":         {with(func(v *redline) { v.Uplift = ptr(false) }), func() plan.Redline { f := full; f.Uplift = ptr(false); return f }(), false},
		"allowed":           {allowed, plan.Redline{Verdict: plan.Allow, Rationale: allowed.Rationale}, false},
		"allowed with harm": {with(func(v *redline) { v.Verdict = plan.AllowFramed }), plan.Redline{Verdict: plan.AllowFramed, Rationale: refused.Rationale}, false},
	} {
		if diff := cmp.Diff(tc.want, settle(tc.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		problems := checkRedline(&tc.in)
		if asked := len(problems) > 0; asked != tc.asked || asked && !problems[0].Soft {
			t.Errorf("%s: problems %v, want some: %v", name, problems, tc.asked)
		}
	}
}

func TestRedlinePage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in   redline
		want string
	}{
		"allow":  {allowed, "**Verdict:** 🟢 ALLOW\n\n**Rationale:** Bread harms nobody."},
		"framed": {redline{Verdict: plan.AllowFramed, Rationale: "r", Uplift: ptr(false)}, "**Verdict:** 🟡 ALLOW WITH SAFETY FRAMING\n\n**Rationale:** r"},
		"refuse": {refused, `**Verdict:** 🔴 REFUSE

**Rationale:** It asks for a | poison.

### Violation Details

| Detail                | Value |
|-----------------------|-------|
| **Category**              | Biorisk |
| **Claim**                 | making a toxin \| at home |
| **Capability Uplift**     | Yes |
| **Severity**              | High |`},
	} {
		if diff := cmp.Diff(tc.want, redlinePage(settle(tc.in))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		// The recorded pages have the table also when nothing is violated; that is no contract.
		page, _, _ := strings.Cut(string(dir.Read(t, plan.RedlinePage)), "\n\n### Violation Details")
		verdict := chaptertest.Load[redline](t, dir, plan.RedlineVerdict)
		chaptertest.SameStructure(t, plan.RedlinePage.Name, page, redlinePage(settle(verdict)))

		var pages []string
		for i, a := range chaptertest.Load[attacks](t, dir, plan.PremiseAttackRaw).List {
			pages = append(pages, a.markdown(i+1, lenses[i]))
		}
		dir.SamePage(t, plan.PremiseAttack, strings.Join(pages, "\n\n\n\n"))
	})
}
