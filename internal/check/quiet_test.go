package check

import (
	"encoding/json"
	"testing"

	"planexe/internal/plan"
)

// Ensure that sound plans in other languages raise no alarm.
func TestQuiet(t *testing.T) {
	t.Parallel()
	for lang, c := range map[string]struct {
		facts plan.Facts
		time  string
		page  string
	}{
		"de": {
			plan.Facts{
				Budget: "300.000 EUR", Currency: "EUR", Start: "", Deadline: "bis Ende März 2027", Forbids: []string{"keine Kredite", "nicht in der Innenstadt", "Filialen"},
			},
			"Die Bäckerei öffnet bis Ende März 2027, 12 Monate nach dem Start; die Pacht läuft bis 2031.",
			`## Kosten

- **Gesamtbudget:** 300.000 EUR, davon 20 % Rücklage
- **Ofen:** 45.000 € bis 60.000 € (1.200 kg, 3x400 V)
- **Umbau:** rund 1,2 Mio. Euro wären zu viel; geplant sind 80.000,00 €.

Kredite werden nicht aufgenommen. Auf Filialen wird verzichtet, und in der Innenstadt gibt es keinen Laden.

| Posten | Betrag | Anteil |
|---|---|---|
| Miete | 24.000 € | 33,3 % |
| Lohn | 24.000 € | 33,3 % |
| Ofen | 24.000 € | 33,3 % |
| **Summe** | **72.000 €** | **100 %** |

Die Budgetaufteilung (Miete 30 %, Lohn 40 %, Ofen 30 %) gilt ab dem 1. April 2026. Nach § 4 LMHV [1] sind Schulungen jedes Jahr Pflicht.
Bis 30.06.2026 liegen drei Angebote vor (siehe [Handwerkskammer](https://www.hwk.example)). Der Absatz steigt um 10 %, der Verlust sinkt um 5 %, die Energie um 15 %.
`,
		},
		"fr": {
			plan.Facts{Budget: "300 000 €", Currency: "EUR", Deadline: "d'ici décembre 2026", Forbids: []string{"pas d'emprunt", "sans franchise"}},
			"La boulangerie ouvre en décembre 2026, soit neuf mois après le début.",
			`## Coûts

- **Budget total :** 300 000 €, dont 15 % de réserve
- **Four :** 45 000 € à 60 000 € TTC
- **Travaux :** 1,2 million d'euros serait trop ; 80 000,50 € sont prévus.

Le projet n'a recours à aucun emprunt. Il reste sans franchise : « ni enseigne ni redevance ».

| Poste | Montant |
|---|---|
| Loyer | 12 000 € |
| Salaires | 30 000 € |
| Total général | 42 000 € |

La répartition du budget : 50 % loyer, 30 % salaires, 20 % four. Ouverture le 1er décembre 2026 à 7 h 30 ; bail 3-6-9 ans.
L'autorisation [annexe 2] est demandée avant le 14/07/2026. Les ventes montent de 20 %, les pertes baissent de 5 % et l'énergie de 10 %.
`,
		},
		"ja": {
			plan.Facts{Budget: "3,000万円", Currency: "JPY", Deadline: "2026年12月末まで", Forbids: []string{"借入はしない", "フランチャイズ"}},
			"2026年12月までに開店する。準備には約9か月かかる。",
			`## 費用

- **総予算：** 3,000万円、うち予備費15％
- **窯：** 450万円から600万円（三相200V）
- **改装：** 1億円では高すぎるため、800万円とする。

借入はしない。フランチャイズには加盟しない。

| 項目 | 金額 |
|---|---|
| 家賃 | 240万円 |
| 人件費 | 1,000万円 |
| 合計 | 1,240万円 |

予算配分：家賃50％、人件費30％、窯20％。許可は2026年6月30日までに申請する（食品衛生法第55条）。売上は20％増、廃棄は5％減、電力は10％減を目指す。
`,
		},
	} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			c.facts.Language = lang
			facts, err := json.Marshal(c.facts)
			if err != nil {
				t.Fatal(err)
			}
			said, err := json.Marshal(map[string]string{"timeline_and_budget": c.time})
			if err != nil {
				t.Fatal(err)
			}
			got := Run(files{
				plan.Prompt.Name: "Plan:\n" + sample[lang] + "\n\nToday's date:\n2026-Mar-02", plan.KeyFacts.Name: string(facts), plan.SummaryRaw.Name: string(said),
				plan.ProjectPlan.Name: c.page, plan.Pitch.Name: sample[lang], plan.Summary.Name: c.time,
				plan.GanttTable.Name: "project_key,project_name,project_start_date,project_end_date,project_parent\nR,x,3/2/2026,11/30/2026,\n",
			}.read)
			for _, f := range got.Findings {
				t.Errorf("%s %s: %s (%s)", f.Severity, f.Check, f.What, f.Quote)
			}
			for _, k := range got.Checks {
				switch k.ID {
				case "forbidden-word", "deadline", "timeline", "budget", "currency", "total", "shares", "placeholder", "language":
					if k.Looked == 0 {
						t.Errorf("%s looked at nothing", k.ID)
					}
				}
			}
		})
	}
}
