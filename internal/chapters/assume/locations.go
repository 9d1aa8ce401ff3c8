package assume

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Locations names where the plan happens or could happen. A digital plan is not asked about.
var Locations = step.Func{
	Name:    "physical_locations",
	About:   "Where the plan happens or could happen",
	Prompts: []string{"physical_locations"},
	Needs:   step.Docs(plan.Prompt, plan.PurposePage, plan.PlanTypePage, plan.Decisions, plan.Scenarios),
	Data:    step.Docs(plan.PlanTypeRaw),
	Writes:  step.Docs(plan.LocationsRaw, plan.Locations),
	Calls:   step.Once,
	Run:     locate,
}

const nowhere = "This plan is carried out online and is tied to no place."

type locations struct {
	Given        bool       `json:"has_location_in_plan"`
	Requirements []string   `json:"requirements_for_the_physical_locations"`
	Places       []location `json:"physical_locations" count:"1-6"`
	Summary      string     `json:"location_summary"`
}

type location struct {
	Index     int    `json:"item_index"`
	Broad     string `json:"physical_location_broad" empty:"ok"`
	Detailed  string `json:"physical_location_detailed" empty:"ok"`
	Specific  string `json:"physical_location_specific" empty:"ok"`
	Rationale string `json:"rationale_for_suggestion"`
}

func (l location) empty() bool {
	return strings.TrimSpace(l.Broad+l.Detailed+l.Specific) == ""
}

func locate(ctx context.Context, w *step.Work) error {
	kind, err := step.Read(w, plan.PlanTypeRaw)
	if err != nil {
		return err
	}
	if kind.Type == "digital" {
		if err := w.WriteJSON(plan.LocationsRaw, map[string]string{"comment": nowhere}); err != nil {
			return err
		}
		return w.WritePage(plan.Locations, nowhere)
	}
	got, err := step.Question[locations]{Prompt: "physical_locations", Check: checkLocations}.Ask(ctx, w)
	if err != nil {
		return err
	}
	v := got.Value
	v.Places = slices.DeleteFunc(v.Places, location.empty)
	for i := range v.Places {
		v.Places[i].Index = i + 1
	}
	if err := w.WriteRaw(plan.LocationsRaw, v, got.Source); err != nil {
		return err
	}
	return w.WritePage(plan.Locations, v.Markdown())
}

func checkLocations(v *locations) []schema.Problem {
	var out []schema.Problem
	for i, l := range v.Places {
		if l.empty() {
			out = append(out, schema.Problem{Path: fmt.Sprintf("physical_locations[%d]", i), Found: "no place", Want: "a country, a city or an address", Soft: true})
		}
	}
	return out
}

// Markdown lists the places from broad to narrow.
func (v locations) Markdown() string {
	var b strings.Builder
	if v.Given {
		b.WriteString("This plan implies one or more physical locations.\n")
	} else {
		b.WriteString("This plan **does not** imply any physical location; the ones below are suggestions.\n")
	}
	if len(v.Requirements) > 0 {
		fmt.Fprintf(&b, "\n## Requirements for physical locations\n\n%s", step.Bullets(v.Requirements))
	} else {
		b.WriteString("There are no particular requirements for the locations.\n")
	}
	for i, l := range v.Places {
		fmt.Fprintf(&b, "\n## Location %d\n", i+1)
		for _, line := range []string{l.Broad, l.Detailed, l.Specific} {
			if line = strings.TrimSpace(line); line != "" {
				fmt.Fprintf(&b, "%s\n\n", line)
			}
		}
		fmt.Fprintf(&b, "**Rationale**: %s\n", l.Rationale)
	}
	fmt.Fprintf(&b, "\n## Location Summary\n%s", v.Summary)
	return b.String()
}
