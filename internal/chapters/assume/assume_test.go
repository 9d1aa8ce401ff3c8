package assume

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
)

func TestCurrencyCodes(t *testing.T) {
	t.Parallel()
	list := func(codes ...string) []listed {
		var out []listed
		for _, c := range codes {
			out = append(out, listed{c, "why"})
		}
		return out
	}
	for name, tc := range map[string]struct {
		in       money
		codes    string
		primary  string
		problems string // paths, in order
	}{
		"good":                  {money{Involved: true, Currencies: list("EUR", "DKK"), Primary: text("DKK")}, "EUR DKK", "DKK", ""},
		"small letters":         {money{Involved: true, Currencies: list("eur"), Primary: text("Eur")}, "EUR", "EUR", ""},
		"listed twice":          {money{Involved: true, Currencies: list("EUR", "eur", "USD"), Primary: text("EUR")}, "EUR USD", "EUR", ""},
		"no such code":          {money{Involved: true, Currencies: list("EURO", "USD"), Primary: text("USD")}, "USD", "USD", "currency_list[0].currency"},
		"placeholder codes":     {money{Involved: true, Currencies: list("XXX", "XTS", "CHF"), Primary: text("CHF")}, "CHF", "CHF", "currency_list[0].currency currency_list[1].currency"},
		"primary is unknown":    {money{Involved: true, Currencies: list("CHF"), Primary: text("gold")}, "CHF", "CHF", "primary_currency"},
		"primary is missing":    {money{Involved: true, Currencies: list("CHF", "EUR")}, "CHF EUR", "CHF", "primary_currency"},
		"primary not listed":    {money{Involved: true, Currencies: list("CHF"), Primary: text("EUR")}, "CHF", "EUR", "primary_currency"},
		"nothing listed":        {money{Involved: true, Primary: text("EUR")}, "", "EUR", "currency_list"},
		"no money":              {money{}, "", "", ""},
		"nothing valid is left": {money{Involved: true, Currencies: list("beads"), Primary: text("beads")}, "", "", "currency_list[0].currency"},
	} {
		got := tc.in.valid()
		var codes, paths []string
		for _, c := range got.Currencies {
			codes = append(codes, c.Code)
		}
		primary := ""
		if got.Primary != nil {
			primary = *got.Primary
		}
		if c := strings.Join(codes, " "); c != tc.codes || primary != tc.primary {
			t.Errorf("%s: currencies %q with primary %q, want %q with %q", name, c, primary, tc.codes, tc.primary)
		}
		for _, p := range checkMoney(&tc.in) {
			if !p.Soft {
				t.Errorf("%s: %v is hard, but the answer can be used", name, p)
			}
			paths = append(paths, p.Path)
		}
		if p := strings.Join(paths, " "); p != tc.problems {
			t.Errorf("%s: problems at %q, want %q", name, p, tc.problems)
		}
	}
}

func TestCurrencyPage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in        money
		structure string
	}{
		"no money":    {money{}, "text\ntext"},
		"no primary":  {money{Currencies: []listed{{"EUR", "why"}}}, "text\n\n## Currencies\n\n- **EUR:** why"},
		"no currency": {money{Involved: true, Primary: text("USD"), Strategy: "s"}, "text\ntext\n\n**Primary currency:** USD\n\n**Currency strategy:** s"},
	} {
		got := tc.in.Markdown()
		chaptertest.SameStructure(t, name, tc.structure, got)
		if strings.Contains(got, "<nil>") || strings.Contains(got, "None") {
			t.Errorf("%s: the page shows a missing value:\n%s", name, got)
		}
	}
}

func TestEmptyPlacesAreFound(t *testing.T) {
	t.Parallel()
	got := checkLocations(&locations{Places: []location{{Broad: "Peru"}, {Broad: " ", Rationale: "because"}, {Specific: "a kitchen"}}})
	want := []schema.Problem{{Path: "physical_locations[1]", Found: "no place", Want: "a country, a city or an address", Soft: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestLocationsPageWithoutRequirements(t *testing.T) {
	t.Parallel()
	got := locations{Places: []location{{Broad: "Peru", Specific: "a kitchen", Rationale: "r"}}, Summary: "s"}.Markdown()
	chaptertest.SameStructure(t, "page", "text\ntext\n\n## Location 1\ntext\n\ntext\n\n**Rationale**: r\n\n## Location Summary\ntext", got)
	if !strings.Contains(strings.SplitN(got, "\n", 2)[0], "**does not**") {
		t.Errorf("the page does not begin by saying that no place is implied:\n%s", got)
	}
}

func TestAssumptionLabel(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Assumption: rent is low":     "Assumption: rent is low",
		"rent is low":                 "Assumption: rent is low",
		"assumption:rent is low":      "Assumption: rent is low",
		"**Assumption:** rent is low": "Assumption: rent is low",
		"**Assumption**: rent is low": "Assumption: rent is low",
		"Annahme: niedrige Miete":     "Assumption: Annahme: niedrige Miete",
		"é":                           "Assumption: é",
	} {
		if got := (assumption{Assumption: in}).labelled(); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	clean := assumptions{[]assumption{{9, "Q?", "rent is low", "A"}}}.clean()
	if diff := cmp.Diff([]plan.Assumption{{Question: "Q?", Assumption: "Assumption: rent is low", Assessment: "A"}}, clean); diff != "" {
		t.Errorf("clean file (-want +got):\n%s", diff)
	}
}

func TestRisksAreSortedByWeight(t *testing.T) {
	t.Parallel()
	r := func(area, likelihood, severity string) risk {
		return risk{Area: area, Likelihood: likelihood, Severity: severity}
	}
	page := risks{Risks: []risk{r("A", "low", "low"), r("B", "medium", "medium"), r("C", "low", "high"), r("D", "high", "high"), r("E", "high", "low")}}.Markdown()
	var got []string
	for line := range strings.Lines(page) {
		if area, ok := strings.CutPrefix(line, "## Risk "); ok && area != "summary\n" {
			got = append(got, strings.TrimSpace(area))
		}
	}
	if diff := cmp.Diff([]string{"1 - D", "2 - B", "3 - C", "4 - E", "5 - A"}, got); diff != "" {
		t.Errorf("risks (-want +got):\n%s", diff)
	}
}

func TestReviewPage(t *testing.T) {
	t.Parallel()
	x := issue{"t", "e", "r", "s"}
	got := review{Domain: "d", Issues: []issue{x, x, x, x}, Conclusion: "c"}.Markdown()
	block := "\n## Issue %d - t\ne\n\n**Recommendation:** r\n\n**Sensitivity:** s\n"
	want := "## Domain of the expert reviewer\nd\n\n## Domain-specific considerations - None\n"
	for _, n := range []string{"1", "2", "3"} {
		want += strings.Replace(block, "%d", n, 1)
	}
	if diff := cmp.Diff(want+"\n## Review conclusion\nc", got); diff != "" {
		t.Errorf("page without considerations and with an issue too many (-want +got):\n%s", diff)
	}
}

func TestPurposeOther(t *testing.T) {
	t.Parallel()
	got := purpose{"t", "d", "other"}.Markdown()
	first, rest, _ := strings.Cut(got, "\n")
	if !strings.HasPrefix(first, "**Purpose:** other ") || rest != "\n**Purpose Detailed:** d\n\n**Topic:** t" {
		t.Errorf("page is\n%s", got)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	if got := plain("\n **Law:** __now__ a*b* snake_case __x_y__ \n"); got != "Law: now a*b* snake_case __x_y__" {
		t.Errorf("plain text is %q", got)
	}
	for in, want := range map[string]string{
		"# Plan Type\n\n- a": "- a", "plan type\n- a": "- a", "## Other\n- a": "## Other\n- a", "Plan Type": "",
	} {
		if got := withoutTitle(in, "Plan Type"); got != want {
			t.Errorf("%q without its title is %q, want %q", in, got, want)
		}
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		list := chaptertest.Load[assumptions](t, dir, plan.AssumptionsRaw)
		for _, page := range []struct {
			file plan.Artifact
			got  string
		}{
			{plan.PurposePage, chaptertest.Load[purpose](t, dir, plan.PurposeRaw).Markdown()},
			{plan.PlanTypePage, chaptertest.Load[planType](t, dir, plan.PlanTypeRaw).Markdown()},
			{plan.Locations, chaptertest.Load[locations](t, dir, plan.LocationsRaw).Markdown()},
			{plan.Currency, chaptertest.Load[money](t, dir, plan.CurrencyRaw).valid().Markdown()},
			{plan.Risks, chaptertest.Load[risks](t, dir, plan.RisksRaw).Markdown()},
			{plan.AssumptionsPage, list.Markdown()},
			{plan.Distilled, chaptertest.Load[distilled](t, dir, plan.DistilledRaw).Markdown()},
			{plan.AssumptionReview, chaptertest.Load[review](t, dir, plan.AssumptionReviewRaw).Markdown()},
		} {
			dir.SamePage(t, page.file, page.got)
		}
		if diff := cmp.Diff(chaptertest.Load[[]plan.Assumption](t, dir, plan.Assumptions), list.clean()); diff != "" {
			t.Errorf("%s (-recorded +ours):\n%s", plan.Assumptions.Name, diff)
		}
	})
}
