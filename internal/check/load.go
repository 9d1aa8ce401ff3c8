package check

import (
	"encoding/json"
	"strings"

	"planexe/internal/plan"
)

// kind tells what a document is for: some checks leave out texts that speak about the plan, or
// about the rest of the world, instead of being it.
type kind int

const (
	body     kind = iota // part of the plan
	critique             // speaks about the plan, quotes it
	outside              // speaks about other projects and the law
)

type source struct {
	file plan.File
	kind kind
}

// pages are the Markdown documents that are checked. Those put together from others are left out,
// or everything would be found twice.
func pages() []source {
	return []source{
		{plan.PurposePage, body}, {plan.PlanTypePage, body}, {plan.PremiseAttack, outside}, {plan.Decisions, body}, {plan.Scenarios, body},
		{plan.Locations, body}, {plan.Currency, body}, {plan.Risks, body}, {plan.AssumptionsPage, body}, {plan.Distilled, body},
		{plan.AssumptionReview, critique}, {plan.ProjectPlan, body}, {plan.AuditDetails, body}, {plan.Bodies, body}, {plan.GovernanceSetup, body},
		{plan.Escalation, body}, {plan.Monitoring, body}, {plan.GovernanceExtra, critique}, {plan.RelatedResources, outside}, {plan.Team, body},
		{plan.SWOT, body}, {plan.ExpertCriticism, critique}, {plan.DataCollection, body}, {plan.DocumentsPage, body}, {plan.Pitch, body},
		{plan.ReviewPlan, critique}, {plan.Summary, body}, {plan.QA, critique}, {plan.Premortem, critique}, {plan.SelfAudit, critique},
	}
}

// Sources lists every artifact that the checks may read.
func Sources() []plan.Artifact {
	out := []plan.Artifact{
		plan.StartTime, plan.Prompt, plan.KeyFacts, plan.VitalLevers, plan.EnrichedLevers, plan.CandidateScenarios, plan.SelectedScenario, plan.CurrencyRaw,
		plan.Assessment, plan.ProjectPlanRaw, plan.BodiesRaw, plan.EscalationRaw, plan.MonitoringRaw, plan.WBS, plan.SummaryRaw, plan.GanttTable, plan.PremortemRaw,
		plan.Schedule,
	}
	for _, p := range pages() {
		out = append(out, p.file)
	}
	return out
}

// run is what the checks look at.
type run struct {
	read   func(string) ([]byte, error)
	docs   []document
	prompt string // without what the program adds
	facts  plan.Facts
	plan   span // of the schedule; zero without one
	demo   bool // made by the demo model, whose sentences are English and its own
}

func load(read func(string) ([]byte, error)) *run {
	r := &run{read: read}
	r.prompt, _, _ = strings.Cut(strings.TrimPrefix(r.text(plan.Prompt), "Plan:\n"), "\n\nToday's date:\n")
	r.facts, _ = decode[plan.Facts](r, plan.KeyFacts)
	if r.facts.Language == "" {
		r.facts.Language = detectTag(r.prompt)
	}
	for _, p := range pages() {
		if text := r.text(p.file); text != "" {
			r.docs = append(r.docs, parse(p.file.Name, p.kind, text))
			r.demo = r.demo || strings.HasPrefix(text, demoNote)
		}
	}
	if a, ok := decode[plan.PreProject](r, plan.Assessment); ok {
		doc := document{file: plan.Assessment.Name}
		doc.lines("", a.Summary)
		for _, f := range a.Feedback {
			doc.lines(f.Title, f.Description)
		}
		r.docs = append(r.docs, doc)
	}
	if w, ok := decode[plan.Breakdown](r, plan.WBS); ok {
		doc := document{file: plan.WBS.Name}
		for _, a := range w.All() {
			doc.lines(a.Title, a.Details.Description)
		}
		r.docs = append(r.docs, doc)
	}
	r.plan = schedule(r)
	return r
}

// text returns an artifact's content; "" when it is missing.
func (r *run) text(a plan.Artifact) string {
	data, err := r.read(a.Artifact().Name)
	if err != nil {
		return ""
	}
	return string(data[:min(len(data), maxFile)])
}

// doc returns the parsed document of a file; an empty one when it is missing.
func (r *run) doc(a plan.Artifact) document {
	for _, d := range r.docs {
		if d.file == a.Artifact().Name {
			return d
		}
	}
	return document{}
}

// decode reads an artifact as data; false when it is missing or holds something else.
func decode[T any](r *run, a plan.Artifact) (T, bool) {
	var v T
	data, err := r.read(a.Artifact().Name)
	if err != nil || json.Unmarshal(data, &v) != nil {
		var none T
		return none, false
	}
	return v, true
}
