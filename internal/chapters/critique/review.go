package critique

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Review puts sixteen questions to the plan, side by side, and then has what was said twice taken
// out. In serial mode each question sees the answers before it instead.
var Review = step.Func{
	Name:    "review_plan",
	About:   "Sixteen critical questions about the plan",
	Prompts: []string{"review_plan", "review_repeats"},
	Needs:   step.Docs(plan.Prompt),
	Uses:    bundle(),
	UsesRaw: step.Docs(plan.WBS),
	Writes:  step.Docs(plan.ReviewPlanRaw, plan.ReviewPlan),
	Calls: func(z pipeline.Sizes) []int {
		if z.Fast {
			return []int{fastQuestions}
		}
		return []int{len(reviewQuestions), 1}
	},
	BySpeed: true,
	Run:     review,
}

// fastQuestions is how many of the questions, from the first, a fast run asks.
const fastQuestions = 3

// reviewQuestions are put in this order; titles are printed. What each is to look at in detail
// stands in the prompt.
// Closely are the documents that a question sees in full.
var reviewQuestions = []struct {
	Title, Question string
	Closely         []string
}{
	{"Critical Issues", "Which issues of the plan are so urgent that they have to be settled before anything else?", []string{"expert_criticism"}},
	{"Implementation Consequences", "What follows, for better and for worse, when the plan is carried out as it is written?", []string{"scenarios", "swot"}},
	{"Recommended Actions", "Which actions improve the plan most for the effort they take?", []string{"expert_criticism"}},
	{"Showstopper Risks", "Which events could end the undertaking and are not yet dealt with?", []string{"assumptions"}},
	{"Critical Assumptions", "Which assumptions must hold for the plan to succeed?", []string{"assumptions"}},
	{"Key Performance Indicators", "By which figures will one see that the plan succeeds in the long run?", []string{"swot"}},
	{"Report Objectives", "Whom does this report serve, which decisions does it prepare, and what must its next version do better?", nil},
	{"Data Quality Concerns", "Which data of the plan are uncertain or incomplete?", []string{"data_collection"}},
	{"Stakeholder Feedback", "Whose opinion is needed before the next version of the plan?", []string{"team"}},
	{"Changed Assumptions", "Which early assumptions no longer fit what the later parts of the plan say?", []string{"assumptions"}},
	{"Budget Clarifications", "What about cost and money has to be made clear?", []string{"assumptions", "data_collection"}},
	{"Role Definitions", "Which roles and duties have to be defined more clearly?", []string{"team"}},
	{"Timeline Dependencies", "Which order of work, or dependency between pieces of work, needs attention?", []string{workBreakdown}},
	{"Financial Strategy", "Which questions of money beyond the first budget have to be answered?", []string{"assumptions"}},
	{"Motivation Factors", "What keeps the people involved going until the end?", []string{"team", "pitch"}},
	{"Automation Opportunities", "Which work could be automated, simplified or left out?", []string{workBreakdown}},
}

type points struct {
	Points []point `json:"bullet_points"`
}

type point struct {
	Lead string `json:"lead"`
	Text string `json:"text"`
}

func (p point) String() string {
	return fmt.Sprintf("**%s:** %s", strings.TrimRight(strings.Trim(step.Line(p.Lead), "*"), ":."), step.Line(p.Text))
}

// reviewed is a question with its answers.
type reviewed struct {
	number   int      // of the question, from 1
	Title    string   `json:"title"`
	Question string   `json:"question"`
	Answers  []string `json:"answers"`
}

// repeats is what the pass over all answers finds.
type repeats struct {
	Repeats []repeat `json:"repeats"`
}

type repeat struct {
	Drop string `json:"drop"`
	Keep string `json:"keep"`
}

// removed is an answer that was taken out, and the one that stands for it.
type removed struct {
	Title  string `json:"title"`
	Answer string `json:"answer"`
	SameAs string `json:"same_as"`
}

func review(ctx context.Context, w *step.Work) error {
	asked := reviewQuestions
	if w.Env.Fast {
		asked = asked[:fastQuestions]
	}
	counts, err := w.Counts()
	if err != nil {
		return err
	}
	work, wholeWork, err := outline(w)
	if err != nil {
		return err
	}
	var all strings.Builder
	for i, q := range asked {
		fmt.Fprintf(&all, "%d. %s: %s\n", i+1, q.Title, q.Question)
	}
	answers, errs := askAll(ctx, w, len(asked), func(i int, earlier []*llm.Answer[points]) step.Question[points] {
		docs, breakdown := closely(asked[i].Closely, wholeWork)
		return step.Question[points]{
			Prompt: "review_plan",
			Label:  fmt.Sprintf("question/%d", i+1),
			Vars: map[string]any{
				"Work": work, "All": all.String(), "Number": i + 1, "Title": asked[i].Title, "Question": asked[i].Question, "Count": counts.Points,
				"Closely": docs, "Breakdown": breakdown,
				"Earlier": sheet(collect(earlier)),
			},
			Sizes: map[string]plan.Range{"bullet_points": {Min: counts.Points, Max: counts.Points}},
		}
	})
	if err := settle(w, errs, most(len(asked)), func(i int) string { return fmt.Sprintf("question %d", i+1) }); err != nil {
		return err
	}
	var raw struct {
		List    []reviewed `json:"question_answers_list"`
		Removed []removed  `json:"repeats_removed,omitempty"`
	}
	raw.List = collect(answers)
	var sources []llm.Source
	for _, a := range answers {
		if a != nil {
			sources = append(sources, a.Source)
		}
	}
	if !w.Env.Fast && !w.Env.SerialReview {
		found, err := findRepeats(ctx, w, raw.List)
		if err != nil && !step.OneQuestion(err) {
			return err
		}
		if err != nil {
			if err := w.Emit(event.Quality{Step: w.Step(), Label: "repeats", Note: "no model looked for repeats; some points may stand twice"}); err != nil {
				return err
			}
		} else {
			raw.List, raw.Removed = without(raw.List, found.Value.Repeats)
			sources = append(sources, found.Source)
		}
	}
	if err := w.WriteRaw(plan.ReviewPlanRaw, raw, sources...); err != nil {
		return err
	}
	return w.WritePage(plan.ReviewPlan, reviewPage(raw.List))
}

// collect puts answers under their questions.
func collect(answers []*llm.Answer[points]) []reviewed {
	list := []reviewed{}
	for i, a := range answers {
		if a == nil {
			continue
		}
		r := reviewed{number: i + 1, Title: reviewQuestions[i].Title, Question: reviewQuestions[i].Question, Answers: []string{}}
		for _, p := range a.Value.Points {
			r.Answers = append(r.Answers, p.String())
		}
		list = append(list, r)
	}
	return list
}

func pointID(question, i int) string { return fmt.Sprintf("P%d.%d", question, i+1) }

// sheet shows answers to a model under short ids; nothing when there are none.
func sheet(list []reviewed) string {
	var b strings.Builder
	for _, r := range list {
		fmt.Fprintf(&b, "%d. %s\n", r.number, r.Title)
		for i, a := range r.Answers {
			fmt.Fprintf(&b, "%s %s\n", pointID(r.number, i), a)
		}
	}
	return b.String()
}

func findRepeats(ctx context.Context, w *step.Work, list []reviewed) (llm.Answer[repeats], error) {
	var ids []string
	for _, r := range list {
		for i := range r.Answers {
			ids = append(ids, pointID(r.number, i))
		}
	}
	return step.Question[repeats]{
		Prompt: "review_repeats", Label: "repeats", Stage: 1,
		Vars:  map[string]any{"Points": sheet(list)},
		Rules: []schema.Rule{schema.OneOf("drop", ids...), schema.OneOf("keep", ids...)},
	}.Ask(ctx, w)
}

// without takes out the answers that another one stands for. No question loses its last answer,
// and of answers that point at one another one stays.
func without(list []reviewed, found []repeat) ([]reviewed, []removed) {
	texts, left := map[string]string{}, map[string]*int{}
	for _, r := range list {
		n := len(r.Answers)
		for i, a := range r.Answers {
			texts[pointID(r.number, i)], left[pointID(r.number, i)] = a, &n
		}
	}
	stands := map[string]string{} // for each one taken out, the one it repeats
	root := func(id string) string {
		for stands[id] != "" {
			id = stands[id]
		}
		return id
	}
	for _, f := range found {
		keep := root(f.Keep)
		if keep == f.Drop || stands[f.Drop] != "" || texts[keep] == "" || texts[f.Drop] == "" || *left[f.Drop] == 1 {
			continue
		}
		stands[f.Drop] = keep
		*left[f.Drop]--
	}
	var gone []removed
	kept := slices.Clone(list)
	for n, r := range kept {
		answers := []string{}
		for i, a := range r.Answers {
			if id := pointID(r.number, i); stands[id] == "" {
				answers = append(answers, a)
			} else {
				gone = append(gone, removed{r.Title, a, texts[root(id)]})
			}
		}
		kept[n].Answers = answers
	}
	return kept, gone
}

func reviewPage(list []reviewed) string {
	var sections []string
	for _, r := range list {
		var lines []string
		for i, a := range r.Answers {
			lines = append(lines, fmt.Sprintf("%d. %s", i+1, a))
		}
		sections = append(sections, fmt.Sprintf("## Review %d: %s\n\n%s", r.number, r.Title, strings.Join(lines, "\n\n\n")))
	}
	return strings.Join(sections, "\n\n\n")
}
