package timeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/schedule"
	"planexe/internal/step"
)

// MeetDates fits the schedule to the dates that the request fixes. It asks only when there are any,
// and once more when one is still missed; it works on tasks, while their parts are still being found.
var MeetDates = step.Func{
	Name:    "meet_fixed_dates",
	About:   "The dates that the request fixes, and what keeps them",
	Prompts: []string{"meet_fixed_dates"},
	Needs:   step.Docs(plan.Prompt),
	Data:    step.Docs(plan.StartTime, plan.WBS12),
	UsesRaw: step.Docs(plan.ProjectTitle, plan.Durations, plan.Dependencies, plan.KeyFacts, plan.ScheduleOptions),
	Writes:  step.Docs(plan.FixedDates),
	Calls:   step.Calls(1, 1),
	Run:     meetDates,
}

type fitting struct {
	Dates   []fixedDate `json:"fixed_dates" count:"0-8"`
	Changes []change    `json:"changes" count:"0-40"`
}

type fixedDate struct {
	Words string `json:"words"`
	Task  string `json:"task_id"`
	Date  string `json:"last_day"`
}

type change struct {
	Task        string  `json:"task_id"`
	Measure     string  `json:"measure"`
	Days        *int    `json:"new_days" range:"1-3650"`
	Predecessor *string `json:"predecessor_id"`
	Type        *string `json:"new_link_type" enum:"FS,SS,FF,SF,none"`
	Lag         *int    `json:"new_lag_days" range:"-365-3650"`
}

// rounds is how often it is asked at most.
const rounds = 2

func meetDates(ctx context.Context, w *step.Work) error {
	p, _, err := project(w, plan.WBS12)
	if err != nil {
		return err
	}
	request, err := w.Text(plan.Prompt)
	if err != nil {
		return err
	}
	facts, err := w.Facts()
	if err != nil {
		return err
	}
	none := plan.Fixed{Dates: []plan.FixedDate{}, Changes: []plan.ScheduleChange{}}
	if p.Waterfall || !statesDate(facts, p.Calendar.Day0) {
		return w.WriteJSON(plan.FixedDates, none)
	}
	before, err := schedule.Arrange(p)
	if err != nil {
		return fmt.Errorf("arrange %s: %w", plan.WBS12.Name, err)
	}
	l := label(before)
	chat, err := step.NewChat(w, "meet_fixed_dates", map[string]any{"Tasks": l.tasks(p, before)})
	if err != nil {
		return err
	}
	best, least, refused := none, -1.0, 0
	var sources []llm.Source
	for round := range rounds {
		got, err := step.Say(ctx, chat, step.Question[fitting]{
			Label: fmt.Sprintf("round/%d", round+1), Stage: round, Check: l.check(request),
			Rules: []schema.Rule{
				schema.OneOf("fixed_dates.task_id", l.names...), schema.OneOf("changes.task_id", l.names...), schema.OneOf("changes.predecessor_id", l.names...),
			},
		})
		if err != nil {
			if round > 0 && step.OneQuestion(err) {
				break // the first round stands
			}
			if !step.OneQuestion(err) {
				return err
			}
			return w.WriteJSON(plan.FixedDates, none) // the schedule does without, and says which deadline it misses
		}
		sources = append(sources, got.Source)
		fixed, dropped := l.usable(got.Value, request, p)
		after, err := schedule.Arrange(fit(p, fixed))
		if err != nil {
			return fmt.Errorf("arrange %s: %w", plan.WBS12.Name, err)
		}
		late, words := lateness(after)
		if least < 0 || late < least {
			best, least, refused = fixed, late, dropped
		}
		if late == 0 || round == rounds-1 {
			break
		}
		if err := chat.Add("more", map[string]any{"Late": words, "Tasks": l.tasks(fit(p, fixed), after)}); err != nil {
			return err
		}
	}
	if refused > 0 {
		note := fmt.Sprintf("%d fixed dates or changes of the schedule were left out: words that the request does not hold, or links and days that cannot be", refused)
		if err := w.Emit(event.Quality{Step: w.Step(), Note: note}); err != nil {
			return err
		}
	}
	return w.WriteRaw(plan.FixedDates, best, sources...)
}

// statesDate tells whether the request fixes any date that the program can read.
func statesDate(f plan.Facts, day0 time.Time) bool {
	return slices.ContainsFunc(append([]string{f.Deadline}, f.Demands...), func(words string) bool {
		_, _, ok := schedule.Dates(words, day0)
		return ok
	})
}

// labels gives tasks the short ids of prompts.
type labels struct {
	names []string          // T1, T2 …
	id    map[string]string // by name
	name  map[string]string // by id
	rows  []schedule.Row    // the tasks, in order
}

func label(s *schedule.Schedule) labels {
	l := labels{id: map[string]string{}, name: map[string]string{}}
	for _, r := range s.Rows {
		if r.Summary {
			continue
		}
		name := fmt.Sprintf("T%d", len(l.names)+1)
		l.names = append(l.names, name)
		l.id[name], l.name[r.ID] = r.ID, name
		l.rows = append(l.rows, r)
	}
	return l
}

// tasks is the table that the prompt shows.
func (l labels) tasks(p schedule.Project, s *schedule.Schedule) string {
	row := map[string]schedule.Row{}
	for _, r := range s.Rows {
		row[r.ID] = r
	}
	waits := map[string][]string{}
	follows := map[string]bool{} // phases, and tasks, that begin when the phase before has ended
	for _, d := range s.Links {
		if l.name[d.From] == "" {
			follows[d.To] = true
			continue
		}
		words := l.name[d.From]
		if d.Type != schedule.FS || d.Lag != 0 {
			words = fmt.Sprintf("%s %s %+g days", words, d.Type, d.Lag)
		}
		waits[d.To] = append(waits[d.To], words)
	}
	var b strings.Builder
	phase := ""
	for _, t := range l.rows {
		r := row[t.ID]
		if at := r.Parent; at != phase {
			phase = at
			fmt.Fprintf(&b, "\n%s\n", step.Line(row[at].Title))
		}
		if follows[r.ID] || follows[r.Parent] && len(waits[t.ID]) == 0 {
			waits[t.ID] = append(waits[t.ID], "the end of the phase before")
		}
		e := p.Estimates[t.ID]
		fmt.Fprintf(&b, "%s %s: %d days, shortest %d; %s to %s", l.name[t.ID], step.Line(t.Title), max(e.Likely, 1), max(e.Shortest, 1), r.Start, r.Last)
		if len(waits[t.ID]) > 0 {
			fmt.Fprintf(&b, "; waits for %s", strings.Join(waits[t.ID], ", "))
		}
		if r.Critical {
			b.WriteString("; critical")
		}
		b.WriteString("\n")
	}
	return strings.TrimSpace(b.String())
}

// check asks again for words that the request does not hold and days that are none.
func (l labels) check(request string) func(*fitting) []schema.Problem {
	return func(a *fitting) []schema.Problem {
		var out []schema.Problem
		for i, d := range a.Dates {
			at := fmt.Sprintf("fixed_dates[%d]", i)
			if !holds(request, d.Words) {
				out = append(out, schema.Problem{Path: at + ".words", Found: d.Words, Want: "words copied exactly from the request", Soft: true})
			}
			if _, err := time.Parse(time.DateOnly, d.Date); err != nil {
				out = append(out, schema.Problem{Path: at + ".last_day", Found: d.Date, Want: "a date such as 2027-01-29", Soft: true})
			}
		}
		return out
	}
}

// holds tells whether a text holds words, whatever the white space between them.
func holds(text, words string) bool {
	fold := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	words = strings.Trim(fold(words), `"“”. `)
	return words != "" && strings.Contains(fold(text), words)
}

// usable translates an answer into ids of the plan, and counts what cannot be taken.
func (l labels) usable(a fitting, request string, p schedule.Project) (out plan.Fixed, dropped int) {
	out = plan.Fixed{Dates: []plan.FixedDate{}, Changes: []plan.ScheduleChange{}}
	for _, d := range a.Dates {
		if _, err := time.Parse(time.DateOnly, d.Date); err != nil || l.id[d.Task] == "" || !holds(request, d.Words) {
			dropped++
			continue
		}
		out.Dates = append(out.Dates, plan.FixedDate{Words: step.Line(d.Words), Task: l.id[d.Task], Date: d.Date})
	}
	for _, c := range a.Changes {
		n := plan.ScheduleChange{Task: l.id[c.Task], Measure: step.Line(c.Measure)}
		e, estimated := p.Estimates[n.Task]
		if c.Days != nil && estimated && *c.Days < e.Likely {
			n.Days = max(*c.Days, e.Shortest, 1)
		}
		if c.Predecessor != nil && c.Type != nil {
			from := l.id[*c.Predecessor]
			stands := slices.ContainsFunc(p.Links, func(k schedule.Link) bool { return k.From == from && k.To == n.Task })
			if from != "" && from != n.Task && (stands || *c.Type != plan.NoLink) {
				n.Predecessor, n.Type = from, *c.Type
				if c.Lag != nil && n.Type != plan.NoLink {
					n.Lag = *c.Lag
				}
			}
		}
		if n.Task == "" || n.Days == 0 && n.Predecessor == "" {
			dropped++
			continue
		}
		out.Changes = append(out.Changes, n)
	}
	return out, dropped
}

// fit returns the project with its fixed dates and the changes made for them. The project itself stays.
func fit(p schedule.Project, f plan.Fixed) schedule.Project {
	for _, d := range f.Dates {
		p.Fixed = append(p.Fixed, schedule.Deadline{Stated: d.Words, Date: d.Date, Task: d.Task})
	}
	estimates := map[string]schedule.Estimate{}
	for id, e := range p.Estimates {
		estimates[id] = e
	}
	p.Estimates, p.Links, p.Measures = estimates, slices.Clone(p.Links), nil
	for _, c := range f.Changes {
		if e, ok := estimates[c.Task]; ok && c.Days > 0 && c.Days < e.Likely {
			// The trouble that may come stays as large as it was.
			estimates[c.Task] = schedule.Estimate{Shortest: min(e.Shortest, c.Days), Likely: c.Days, Longest: e.Longest - e.Likely + c.Days}
		}
		if c.Predecessor != "" {
			i := slices.IndexFunc(p.Links, func(k schedule.Link) bool { return k.From == c.Predecessor && k.To == c.Task })
			if i < 0 { // a task with a link of its own no longer waits for the phase before
				i, p.Links = len(p.Links), append(p.Links, schedule.Link{From: c.Predecessor, To: c.Task})
			}
			p.Links[i].Type, p.Links[i].Lag = schedule.Type(c.Type), float64(c.Lag)
		}
		if c.Measure != "" && !slices.Contains(p.Measures, c.Measure) {
			p.Measures = append(p.Measures, c.Measure)
		}
	}
	p.Links = slices.DeleteFunc(p.Links, func(k schedule.Link) bool { return k.Type == plan.NoLink })
	return p
}

// lateness is by how many days the fixed dates are missed in all, with words for it.
func lateness(s *schedule.Schedule) (days float64, words string) {
	titles := map[string]string{}
	for _, r := range s.Rows {
		titles[r.ID] = step.Line(r.Title)
	}
	var late []string
	for _, d := range s.Fixed {
		if d.Late.Likely > 0 {
			days += d.Late.Likely
			late = append(late, fmt.Sprintf("“%s” has to end by %s and ends on %s, %g days too late.", cmp.Or(titles[d.Task], d.Task), d.Date, d.Finish.Likely, d.Late.Likely))
		}
	}
	return days, strings.Join(late, " ")
}
