package critique

import (
	"context"
	"fmt"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// SelfAudit goes through a checklist of red flags. All items but the last are rated side by side,
// so that no rating leans on another; the last one looks for what they add up to. In serial mode
// each item sees those before it.
var SelfAudit = step.Func{
	Name:    "self_audit",
	About:   "A checklist of red flags",
	Prompts: []string{"self_audit"},
	Needs:   step.Docs(plan.Prompt),
	Uses:    audited,
	UsesRaw: step.Docs(plan.WBS, plan.GanttTable),
	Writes:  step.Docs(plan.SelfAuditRaw, plan.SelfAudit),
	Calls: func(z pipeline.Sizes) []int {
		if z.Fast {
			return []int{fastItems}
		}
		return []int{len(checklist) - 1, 1}
	},
	BySpeed: true,
	Run:     audit,
}

// audited are the documents that are rated, and that quotations must stand in, beside the prompt.
var audited = bundle(plan.ReviewPlan, plan.QA, plan.Premortem, plan.Bodies, plan.Monitoring)

// fastItems is how many items, from the first, a fast run rates.
const fastItems = 2

type rating struct {
	Quotes        []string `json:"quotes" count:"0-2" empty:"ok"` // first: evidence before the verdict
	Level         string   `json:"level" enum:"low,medium,high"`
	Justification string   `json:"justification"`
	Mitigation    string   `json:"mitigation" empty:"ok"`
}

// rated is an item with its answer.
type rated struct {
	Index         int      `json:"index"`
	Title         string   `json:"title"`
	Question      string   `json:"subtitle"`
	Level         string   `json:"level"`
	Justification string   `json:"justification"`
	Mitigation    string   `json:"mitigation"`
	why           string   // the justification without its quotations
	quotes        []string // these, each with its marks
}

func audit(ctx context.Context, w *step.Work) error {
	table, err := w.Text(plan.GanttTable)
	if err != nil {
		return err
	}
	work, wholeWork, err := outline(w)
	if err != nil {
		return err
	}
	schedule := plan.SummarizeGantt(table)
	shown := []string{schedule, wholeWork}
	for _, a := range append(step.Docs(plan.Prompt), audited...) {
		text, err := w.Text(a)
		if err != nil {
			return err
		}
		shown = append(shown, text)
	}
	found := newMaterial(shown...)

	question := func(i int, earlier []*llm.Answer[rating]) step.Question[rating] {
		docs, breakdown := closely(checklist[i].Closely, wholeWork)
		q := step.Question[rating]{
			Prompt: "self_audit", Label: fmt.Sprintf("item/%d", i+1),
			Vars: map[string]any{
				"Work": work, "Schedule": schedule, "Number": i + 1, "Title": checklist[i].Title, "Question": checklist[i].Question,
				"Closely": docs, "Breakdown": breakdown,
				"Earlier": answersSoFar(clean(earlier, found)),
			},
			Check: func(r *rating) []schema.Problem { return checkRating(i, r) },
		}
		if i == len(checklist)-1 {
			q.Stage = 1
		}
		return q
	}
	name := func(i int) string { return fmt.Sprintf("item %d", i+1) }

	n := len(checklist)
	switch {
	case w.Env.Fast:
		n = fastItems
	case !w.Env.SerialReview:
		n--
	}
	answers, errs := askAll(ctx, w, n, question)
	if err := settle(w, errs, most(n), name); err != nil {
		return err
	}
	if n == len(checklist)-1 {
		last, err := question(n, answers).Ask(ctx, w)
		if err := settle(w, append(make([]error, n), err), n, name); err != nil {
			return err
		}
		if err == nil {
			answers = append(answers, &last)
		}
	}
	if w.Env.Demo {
		for _, a := range answers {
			if a != nil {
				a.Value.Quotes = nil
			}
		}
	}

	if err := noteMisquoted(w, answers, found); err != nil {
		return err
	}
	var raw struct {
		Responses schema.Object `json:"responses"`
		Metadata  schema.Object `json:"metadata"`
		Cleaned   []rated       `json:"checklist_answers_cleaned"`
	}
	for i, a := range answers {
		if a != nil {
			raw.Responses = append(raw.Responses, schema.Member{Name: fmt.Sprint(i + 1), Value: a.Value})
			raw.Metadata = append(raw.Metadata, schema.Member{Name: fmt.Sprintf("metadata_%d", i+1), Value: a.Source})
		}
	}
	raw.Cleaned = clean(answers, found)
	if err := w.WriteJSON(plan.SelfAuditRaw, raw); err != nil {
		return err
	}
	return w.WritePage(plan.SelfAudit, auditPage(raw.Cleaned))
}

// checkRating looks for red flags that nothing is done about. The first item may do without: nobody
// can mend a law of nature that is not broken.
func checkRating(i int, r *rating) []schema.Problem {
	var problems []schema.Problem
	if r.Mitigation == "" && (i > 0 || r.Level != "low") {
		problems = append(problems, schema.Problem{Path: "mitigation", Found: "empty text", Want: "one task that somebody can begin", Soft: true})
	}
	return problems
}

// noteMisquoted counts the quotations that are none. They are not asked for again: the page marks them,
// and a second answer would cost the whole plan as a prompt.
func noteMisquoted(w *step.Work, answers []*llm.Answer[rating], found material) error {
	wrong, all := 0, 0
	for _, a := range answers {
		if a == nil {
			continue
		}
		for _, q := range a.Value.Quotes {
			if all++; !found.has(q) {
				wrong++
			}
		}
	}
	if wrong == 0 {
		return nil
	}
	return w.Emit(event.Quality{Step: w.Step(), Note: fmt.Sprintf("%d of %d quotations do not stand in the documents; the page marks them", wrong, all)})
}

// notFound marks a quotation that is none.
const notFound = " (not found in the documents)"

// clean puts answers under their items, with their quotations looked up.
func clean(answers []*llm.Answer[rating], found material) []rated {
	list := []rated{}
	for i, a := range answers {
		if a == nil {
			continue
		}
		r := a.Value
		why, quotes := step.Line(r.Justification), []string(nil)
		for _, q := range r.Quotes {
			quote := "“" + strings.Trim(step.Line(q), "\"“”„«»") + "”"
			if !found.has(q) {
				quote += notFound
			}
			quotes = append(quotes, quote)
		}
		todo := step.Line(r.Mitigation)
		if todo == "" {
			todo = "None"
		}
		whole := strings.Join(append([]string{why}, quotes...), " — ")
		list = append(list, rated{i + 1, checklist[i].Title, checklist[i].Question, r.Level, whole, todo, why, quotes})
	}
	return list
}

// answersSoFar shows rated items to a model; nothing when there are none.
func answersSoFar(list []rated) string {
	var b strings.Builder
	for _, r := range list {
		fmt.Fprintf(&b, "%d. %s: %s. %s Mitigation: %s\n", r.Index, r.Title, r.Level, r.Justification, r.Mitigation)
	}
	return b.String()
}

var levels = []struct{ name, shown, meaning string }{
	{"high", "🛑 High", "Can end the undertaking, and nothing in the plan believably stops it."},
	{"medium", "⚠️ Medium", "A real risk, but a way through is in sight."},
	{"low", "✅ Low", "Small, or under control."},
}

func auditPage(list []rated) string {
	shown, count := map[string]string{}, map[string]int{}
	for _, r := range list {
		count[r.Level]++
	}
	var b strings.Builder
	b.WriteString("The plan held against reality: mend what is marked high before anybody says go.\n\n" +
		"### Summary\n\n| Level | Count | Explanation |\n|---|---|---|\n")
	for _, l := range levels {
		shown[l.name] = l.shown
		fmt.Fprintf(&b, "| %s | %d | %s |\n", l.shown, count[l.name], l.meaning)
	}
	b.WriteString("\n\n## Checklist")
	for i, r := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		why := strings.TrimRight(r.why+"\n\n"+step.Bullets(r.quotes), "\n")
		fmt.Fprintf(&b, "\n\n## %d. %s\n\n*%s*\n\n**Level**: %s\n\n**Justification**: %s\n\n**Mitigation**: %s",
			r.Index, r.Title, r.Question, shown[r.Level], why, r.Mitigation)
	}
	return b.String()
}
