package check

import (
	"fmt"
	"strings"
	"testing"

	"planexe/internal/plan"
)

// Ensure that text to be filled in is found, and brackets of other kinds are not.
func TestPlaceholders(t *testing.T) {
	t.Parallel()
	hit := []string{"warning: A placeholder was left in the text."}
	for text, want := range map[string][]string{
		"Call us at [insert phone number here].": hit, "by [date]": hit, "ask [PI Name]": hit, "[Your Company]": hit, "<name>": hit, "am [Datum]": hit,
		"le [nom du responsable] signe": nil, "[Votre nom]": hit, "［氏名］様": hit, "Cost: TBD": hit, "Lorem ipsum dolor": hit, "Dear {{name}}": hit,
		"${BUDGET} is left": hit, "€XX for rent": hit, "XX% of sales": hit, "by [STRATEGIC] choice": nil, "as said [1] and [sic]": nil, "the XX century": nil,
		"see [our page](https://x.y/date)": nil, "x < 3 and y > 2": nil, "[ ] buy flour": nil, "a range [0, 10]": nil, "todo lists": nil, "name it report_[date].csv": nil,
	} {
		try(t, "placeholder", []one{{text, plan.Facts{}, text, want}})
	}
	if got := found(files{plan.ExpertCriticism.Name: "Say 'by [date] at noon' instead of “by [date]”."}, "placeholder"); got != nil {
		t.Errorf("a quotation is blamed: %q", got)
	}
}

// Ensure that a section is empty when nothing stands in it.
func TestEmpty(t *testing.T) {
	t.Parallel()
	none := "note: The section has no content."
	try(t, "empty", []one{
		{"full", plan.Facts{}, "# A\n\n## B\n\ntext\n\n## C\n\n- item\n", nil},
		{"empty", plan.Facts{}, "## A\n\n## B\n\ntext", []string{none}},
		{"at the end", plan.Facts{}, "## A\n\ntext\n\n## B\n", []string{none}},
		{"dots", plan.Facts{}, "## A\n\n…\n\n- ...\n", []string{none}},
		{"title of a list", plan.Facts{}, "## Checklist\n\n## 1. Law\n\nyes", nil},
		{"table", plan.Facts{}, "## A\n\n| a | b |\n|---|---|\n", []string{"warning: The table has a header and no rows."}},
		{"table with a row", plan.Facts{}, "| a | b |\n|---|---|\n| 1 | 2 |\n", nil},
	})
}

// Ensure that a long paragraph that stands twice is found, and short ones and settings are not.
func TestRepeats(t *testing.T) {
	t.Parallel()
	long := "The lease of the shop in the old town ends in spring, so that the landlord has to be asked for a longer one before the oven is bought."
	try(t, "repeat", []one{
		{"in a section", plan.Facts{}, "## A\n\n" + long + "\n\n" + strings.ToUpper(long), []string{"warning: The paragraph stands twice in this section."}},
		{"in another", plan.Facts{}, "## A\n\n" + long + "\n\n## B\n\n- " + long, []string{"warning: The paragraph stands in an earlier section, “A”, too."}},
		{"under the same words", plan.Facts{}, "## A\n\n" + long + "\n\n## A\n\n" + long, []string{"warning: The paragraph stands in an earlier section, “A”, too."}},
		{"short", plan.Facts{}, "Buy an oven.\n\nBuy an oven.", nil},
		{"settings", plan.Facts{}, "- **Lease:** " + long + "\n- **Lease:** " + long, nil},
		{"Japanese", plan.Facts{}, strings.Repeat("春に店の賃貸契約が終わるので、オーブンを買う前に大家に延長を頼む必要があり、早めに連絡を取る。\n\n", 2), []string{"warning: The paragraph stands twice in this section."}},
	})
	got := found(files{plan.Risks.Name: long, plan.ProjectPlan.Name: long}, "repeat")
	if len(got) != 1 || got[0] != "note: The paragraph stands in “"+plan.Risks.Title+"”, too." {
		t.Errorf("over two documents: %q", got)
	}
}

var sample = map[string]string{
	"en": "The bakery opens in spring with two ovens and five people. Before that the shop has to be rented and the permit asked for. The first loaves are sold to the neighbours, and the price is set so that the rent is earned within nine months.",
	"fr": "La boulangerie ouvre au printemps avec deux fours et cinq personnes. Avant cela, il faut louer le local et demander l'autorisation. Les premiers pains sont vendus aux voisins, et le prix est fixé de façon à couvrir le loyer en neuf mois.",
	"de": "Die Bäckerei öffnet im Frühling mit zwei Öfen und fünf Leuten. Vorher muss der Laden gemietet und die Genehmigung beantragt werden. Die ersten Brote werden an die Nachbarn verkauft, und der Preis deckt die Miete nach neun Monaten.",
	"es": "La panadería abre en primavera con dos hornos y cinco personas. Antes hay que alquilar el local y pedir el permiso. Los primeros panes se venden a los vecinos, y el precio se fija de modo que la renta se gane en nueve meses.",
	"ja": "パン屋は春に二つの窯と五人で開店する。その前に店を借り、許可を申請しなければならない。最初のパンは近所の人に売り、値段は九か月で家賃を賄えるように決める。仕入れ先は二社に絞り、粉の値上がりに備えて三か月分の在庫を持つ。",
}

// Ensure that a section in another language is found, and none is where all are in the request's.
func TestLanguages(t *testing.T) {
	t.Parallel()
	for want := range sample {
		for got, text := range sample {
			page := "## A\n\n" + sample[want] + "\n\n## B\n\n" + text
			var expect []string
			if got != want {
				expect = []string{fmt.Sprintf("error: The section is in the language “%s”, the request in “%s”.", got, want)}
			}
			try(t, "language", []one{{want + " with " + got, plan.Facts{Language: want}, page, expect}})
		}
	}
	try(t, "language", []one{
		{"region", plan.Facts{Language: "fr-CA"}, sample["fr"], nil},
		{"short", plan.Facts{Language: "fr"}, "Buy an oven and sell the bread.", nil},
		{"near", plan.Facts{Language: "pt"}, sample["es"], nil},
		{"unknown", plan.Facts{Language: "xx"}, sample["es"], nil},
		{"names", plan.Facts{Language: "fr"}, "- Deutsche Gesellschaft für Schlafforschung und Schlafmedizin\n- University Hospital Bonn", nil},
		{"demo", plan.Facts{Language: "fr"}, "> **Demo.** made up\n\n" + sample["en"], nil},
	})
	long := strings.Repeat(sample["de"]+"\n\n", 20)
	got := found(files{plan.Prompt.Name: "Plan:\n" + long, plan.ProjectPlan.Name: "## A\n\n" + sample["en"] + "\n\n## B\n\n" + sample["de"] + "\n\n## C\n\n" + sample["fr"]}, "language")
	if want := "error: 2 of 3 sections that can be judged are in another language than the request (“de”); the first one is in “en”."; len(got) != 1 || got[0] != want {
		t.Errorf("with the language of the request alone: %q, want %q", got, want)
	}
}
