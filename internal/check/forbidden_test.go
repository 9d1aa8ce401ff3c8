package check

import (
	"testing"

	"planexe/internal/plan"
)

// Ensure that banned words are found whole and in any case, and that keeping away from a thing is
// not taken for using it.
func TestForbidden(t *testing.T) {
	t.Parallel()
	list := plan.Facts{Language: "en", Forbids: []string{"Banned words: blockchain, DAO, smart home, AI, valid (as a claim)"}}
	thing := func(lang string, words ...string) plan.Facts { return plan.Facts{Language: lang, Forbids: words} }
	ban := func(w string) string { return "error: The request bans the word “" + w + "”." }
	rule := func(w string) string { return "warning: The request rules out “" + w + "”." }
	try(t, "forbidden-word", []one{
		{"a word", list, "## Technology\n\nA Blockchain keeps the books.", []string{ban("blockchain")}},
		{"in a label", list, "**Blockchain:** books", []string{ban("blockchain")}},
		{"with a hyphen", list, "A smart-home kit and AI-driven ovens.", []string{ban("smart home"), ban("AI")}},
		{"not within a word", list, "Blockchains, the daos and air are others.", nil},
		{"an abbreviation is no word of another language", list, "J'ai dit: dao.", nil},
		{"banned in one sense only", list, "A valid permit.", nil},
		{"once per section", list, "## A\n\nblockchain blockchain\n\nblockchain\n\n## B\n\nblockchain", []string{ban("blockchain"), ban("blockchain")}},
		{"a banned word may not even be denied", list, "There is no blockchain.", []string{ban("blockchain")}},
		{"a thing", thing("en", "no alcohol"), "The bar serves alcohol.", []string{rule("alcohol")}},
		{"a thing denied", thing("en", "no alcohol"), "No alcohol is sold. The bar is free of alcohol.", nil},
		{"a thing without a no", thing("en", "loud music"), "Loud music at night. Avoid loud music by day.", []string{rule("loud music")}},
		{"a list of things", thing("en", "Not wanted: alcohol, loud music"), "No alcohol is served.\n\nThe bar plays loud music.", []string{rule("loud music")}},
		{"a sentence", thing("en", "I do not want to be on stage with strangers"), "We stand on stage with strangers.", nil},
		{"German", thing("de", "keinen Alkohol"), "Die Bar schenkt ALKOHOL aus.\n\nWir verzichten nicht auf Alkohol.", []string{rule("Alkohol")}},
		{"German, denied", thing("de", "ohne Straßenverkauf"), "Es gibt keinen STRASSENVERKAUF.", nil},
		{"German, sharp s", thing("de", "ohne Straßenverkauf"), "STRASSENVERKAUF am Samstag.", []string{rule("Straßenverkauf")}},
		{"French", thing("fr", "pas d'alcool"), "Le bar sert de l’alcool.", []string{rule("alcool")}},
		{"French, denied", thing("fr", "sans alcool"), "Le bar reste sans alcool.", nil},
		{"Japanese", thing("ja", "禁止語：酒、AI"), "店で酒を売り、AIを使う。", []string{ban("酒"), ban("AI")}},
		{"Japanese, within a word", thing("ja", "禁止語：バー、ロボット"), "バーベキューをする。", nil},
	})
}

// Ensure that the request tells a list of words from other prohibitions.
func TestForbiddenList(t *testing.T) {
	t.Parallel()
	got := found(files{
		plan.Prompt.Name:      "Plan:\nOpen a bakery. Banned words: robot, drone. Do not hire.\n\nToday's date:\n2026-Jan-03",
		plan.KeyFacts.Name:    `{"language":"en","forbids":["robot","drone"]}`,
		plan.ProjectPlan.Name: "Never a robot.",
		plan.QA.Name:          "Why no drone? The robot helps.",
	}, "forbidden-word")
	if len(got) != 2 || got[0] != "error: The request bans the word “robot”." || got[1] != "warning: The request bans the word “robot”; this text about the plan uses it." {
		t.Errorf("found %q", got)
	}
}
