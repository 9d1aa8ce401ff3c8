package check

import (
	"fmt"
	"strings"
	"testing"

	"planexe/internal/plan"
)

// Ensure that amounts of money are read as they are written in several languages, or not at all.
func TestAmounts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"en $500 million USD": "USD 500000000", "en €3.8M": "EUR 3800000", "en 300,000 EUR": "EUR 300000", "en USD 1.5 billion": "USD 1500000000", "en $1.5B": "$ 1500000000",
		"de 300.000 EUR": "EUR 300000", "de 1,5 Mio. €": "EUR 1500000", "de 12.500,50 €": "EUR 12500.5", "de 2 Milliarden Euro": "EUR 2000000000",
		"fr 300 000 €": "EUR 300000", "fr 300\u202f000,50 €": "EUR 300000.5", "es 2 millones de euros": "", "ja 300万円": "JPY 3000000", "ja ¥5,000": "¥ 5000", "ja 3億円": "JPY 300000000",
		"en in 2026 300 EUR": "EUR 300", "en A$40": "AUD 40", "en CHF 1'200": "CHF 1200", "en £20k": "GBP 20000", "pl 500 zł": "PLN 500",
		"en 5G at 80%": "", "en try 5 ovens": "", "en €1.234": "", "en model X300 EUR": "", "en $5x": "", "de 1 Billion €": "", "en 12345678901234567890 EUR": "",
	} {
		lang, text, _ := strings.Cut(in, " ")
		var got []string
		for _, a := range amounts(text, lang) {
			got = append(got, fmt.Sprintf("%s %.10g", a.code, a.value))
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("%q is read as %q, want %q", in, s, want)
		}
	}
}

// Ensure that another total budget than the stated one is found.
func TestBudgets(t *testing.T) {
	t.Parallel()
	eur := plan.Facts{Language: "en", Budget: "€3.8 million over 3 years", Currency: "EUR"}
	try(t, "budget", []one{
		{"another", eur, "A total budget of €4.5 million.", []string{"error: The text names a total budget of €4.5 million; the request states €3.8 million over 3 years."}},
		{"the same", eur, "The total budget is 3,800,000 EUR. The overall budget: €3.8M", nil},
		{"rounded", eur, "A total budget of €3.9 million.", nil},
		{"a part", eur, "A budget of €1 million for renovation.", nil},
		{"a range", eur, "A total budget of €1-2 million.", nil},
		{"another currency", eur, "A total budget of $4.2 million.", nil},
		{"per month", plan.Facts{Language: "en", Budget: "2,000 EUR per month"}, "A total budget of 24,000 EUR.", nil},
		{"between", plan.Facts{Language: "en", Budget: "between 10,000 EUR and 20,000 EUR"}, "Total budget: 12,000 EUR", nil},
		{"above", plan.Facts{Language: "en", Budget: "10,000-20,000 EUR"}, "Total budget: 32,000 EUR", []string{"error: The text names a total budget of 32,000 EUR; the request states 10,000-20,000 EUR."}},
		{"German", plan.Facts{Language: "de", Budget: "300.000 EUR"}, "Das Gesamtbudget von 350.000 EUR reicht.", []string{"error: The text names a total budget of 350.000 EUR; the request states 300.000 EUR."}},
		{"French", plan.Facts{Language: "fr", Budget: "300 000 €"}, "Un budget total de 350 000 € suffit.", []string{"error: The text names a total budget of 350 000 €; the request states 300 000 €."}},
		{"table", eur, "## Budget\n\n| Rent | €2M |\n| Staff | €3M |\n| Total | €5M |", []string{"error: The parts of the budget come to 5,000,000; the request states €3.8 million over 3 years."}},
		{"list", eur, "## Budget\n\n- Rent: €2M\n- Total: €3.5M", nil},
		{"table of something else", eur, "## Market\n\n| Rent | €2M |\n| Total | €500M |", nil},
		{"Japanese", plan.Facts{Language: "ja", Budget: "500万円"}, "総予算は600万円である。", []string{"error: The text names a total budget of 600万円; the request states 500万円."}},
	})
}

// Ensure that money of no currency of the plan is found, and conversions are not.
func TestForeign(t *testing.T) {
	t.Parallel()
	eur := plan.Facts{Language: "en", Currency: "EUR"}
	wrong := func(a string) []string {
		return []string{"warning: The amount " + a + " is in a currency that the plan does not use."}
	}
	try(t, "currency", []one{
		{"sign", eur, "Rent is $2,000.", wrong("$2,000")},
		{"code", eur, "Rent is 2,000 CHF.", wrong("2,000 CHF")},
		{"ours", eur, "Rent is 2,000 EUR, or €2k.", nil},
		{"conversion", eur, "Rent is €2,000 (about $2,200).", nil},
		{"dollars", plan.Facts{Language: "en", Currency: "CAD"}, "Rent is $2,000.", nil},
		{"yen", plan.Facts{Language: "ja", Currency: "JPY"}, "家賃は20万円、または¥200,000。", nil},
		{"not ours", plan.Facts{Language: "ja", Currency: "JPY"}, "家賃は2,000ドル、$2,000。", wrong("$2,000")},
		{"unknown", plan.Facts{Language: "en"}, "Rent is $2,000.", nil},
	})
	in := files{
		plan.KeyFacts.Name: `{"language":"en","currency":"EUR"}`, plan.Currency.Name: "- **USD:** imports", plan.CurrencyRaw.Name: `{"currency_list":[{"currency":"GBP"}]}`,
		plan.ProjectPlan.Name: "Flour for $20.\n\nSalt for £3.\n\nYeast for ₹3.", plan.RelatedResources.Name: "That one cost ₹9 million.",
	}
	if got := found(in, "currency"); len(got) != 1 || !strings.Contains(got[0], "₹3") {
		t.Errorf("found %q", got)
	}
}

// Ensure that wrong totals are found, and rounding and subtotals are not.
func TestTotals(t *testing.T) {
	t.Parallel()
	table := func(rows ...string) string {
		return "| Item | Cost |\n|---|---|\n| " + strings.Join(rows, " |\n| ") + " |\n"
	}
	en, de := plan.Facts{Language: "en"}, plan.Facts{Language: "de"}
	wrong := func(a, b string) []string {
		return []string{"error: The total is given as " + a + "; its parts add up to " + b + "."}
	}
	try(t, "total", []one{
		{"right", en, table("Rent | €1,000", "Oven | €9,000.50", "**Total** | **€10,000.50**"), nil},
		{"wrong", en, table("Rent | €1,000", "Oven | €9,000", "Total | €12,000"), wrong("12,000", "10,000")},
		{"rounded", en, table("Rent | €1.2M", "Oven | €1.3M", "Staff | €1.3M", "Total | €3.9M"), nil},
		{"percent", en, table("Rent | 40%", "Oven | 30%", "Staff | 20%", "Total | 100%"), wrong("100", "90")},
		{"subtotals", en, table("Rent | 10", "Oven | 20", "Subtotal | 30", "Total | 30"), nil},
		{"text in between", en, table("Rent | 10", "Oven | about 20 to 30", "Total | 50"), nil},
		{"no total", en, table("Rent | 10", "Oven | 20", "Totally new | 50", "Staff | 3"), nil},
		{"several totals", en, table("Rent | 10", "Total cost | 10", "Oven | 20", "Total | 30"), nil},
		{"German", de, table("Miete | 12.000 €", "Ofen | 8.500,50 €", "Gesamt | 21.000 €"), wrong("21,000", "20,500.5")},
		{"French", plan.Facts{Language: "fr"}, table("Loyer | 12 000 €", "Four | 8 000 €", "Total général | 20 000 €"), nil},
		{"Japanese", plan.Facts{Language: "ja"}, table("家賃 | 10万円", "窯 | 20万円", "合計 | 40万円"), wrong("400,000", "300,000")},
		{"list", en, "- **Rent:** €1,000 a month\n- **Oven:** €9,000\n- **Total:** €11,000\n", wrong("11,000", "10,000")},
		{"list, right", en, "- Rent: €1,000\n- Oven: €9,000\n- Total: €10,000\n", nil},
		{"list of other things", en, "- Rent: €1,000 to €2,000\n- Oven: €9,000\n- Total: €20,000\n", nil},
		{"written out", en, "We need 3 + 4 + 5 = 13 people.", wrong("13", "12")},
		{"written out, right", en, "€1.2 + €2.3 = €3.5 and 40% + 60% = 100%, A1 + 2 = 4, 1 + 2 = 3 million, 1 + 1 = 4x", nil},
	})
}

// Ensure that shares of one budget that are not 100 % are found, other percentages are not.
func TestShares(t *testing.T) {
	t.Parallel()
	en := plan.Facts{Language: "en"}
	wrong := func(n string) []string { return []string{"warning: The shares add up to " + n + " %."} }
	try(t, "shares", []one{
		{"right", en, "The budget allocation (50% rent, 30% staff, 20% oven) is tight.", nil},
		{"wrong", en, "The budget allocation (50% rent, 30% staff, 30% oven) is tight.", wrong("110")},
		{"label", en, "**Budget breakdown:** 40% rent, 30% staff, 20% oven", wrong("90")},
		{"decimals", plan.Facts{Language: "de"}, "Budgetaufteilung: 33,3 % Miete, 33,3 % Lohn, 33,4 % Ofen", nil},
		{"German", plan.Facts{Language: "de"}, "Budgetaufteilung: 50 % Miete, 30 % Lohn, 30 % Ofen", wrong("110")},
		{"French", plan.Facts{Language: "fr"}, "La répartition du budget : 50 % loyer, 30 % salaires, 10 % four", wrong("90")},
		{"Japanese", plan.Facts{Language: "ja"}, "予算配分：家賃50％、人件費30％、窯30％", wrong("110")},
		{"goals", en, "Raise sales by 20%, cut waste by 30% and energy by 10%.", nil},
		{"ranges", en, "Cost breakdown: 40-50% rent, 30% staff, 20% oven", nil},
		{"two only", en, "Cost breakdown: 40% rent, 30% staff", nil},
	})
}
