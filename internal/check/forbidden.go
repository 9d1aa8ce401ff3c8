package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"planexe/internal/plan"
)

// wordList is a list of words behind a colon, as in "Banned words: a, b, c."
var wordList = regexp.MustCompile(`([^.!?。！？\n:：]{1,60})[:：]\s*([^.!?。！？\n]+)`)

// wordWords tell that a list is one of words, and not of things.
var wordWords = regexp.MustCompile(`\bwords?\b|\bterms?\b|\bwort\b|wörter|begriffe?|\bmots?\b|\btermes?\b|palabras?|términos?|\bparol[ae]\b|\btermini\b|palavras?|termos?|woord|słow|слов|語|言葉|ワード|词|詞|단어`)

// refusals open a statement of what is not wanted, in a few languages. They are taken off to reach
// the thing itself.
var refusals = strings.Fields(`no not never without avoid do don t use any kein keine keinen keinem keiner nicht nie ohne bitte vermeide
 pas de d aucun aucune sans jamais ne utilise utiliser ni sin ningún ninguna nunca evitar non nessun nessuna senza mai sem nenhum nenhuma não geen niet zonder`)

// denials tell that a sentence keeps away from a thing instead of using it.
var denials = strings.Fields(`no not never without avoid avoids avoided avoiding exclude excludes excluded excluding free forbid forbids forbidden banned
 prohibit prohibited rather instead isn aren don doesn won cannot neither nor none kein keine keinen keinem keiner keines nicht nie ohne vermeiden vermeidet ausgeschlossen verzicht verzichtet statt frei verboten
 pas aucun aucune sans jamais ne évite éviter exclut exclu exclue interdit interdite sin ningún ninguna nunca evita evitar excluye excluido prohibido non nessun nessuna senza mai esclude escluso vietato
 sem nenhum nenhuma não evita exclui proibido geen niet zonder vermijd uitgesloten`)

// denialsCJK are those of languages whose words cannot be told apart.
var denialsCJK = []string{"ない", "なし", "ず", "避け", "禁止", "除", "不", "没", "無", "无", "避免", "없", "않", "금지", "제외"}

// forbidden looks for banned words, and for things that the request rules out where a sentence does
// not say that it keeps away from them.
func forbidden(r *run, res *result) {
	terms := forbiddenTerms(r)
	res.looked = len(terms)
	x := newIndex(terms)
	if len(x) == 0 {
		return
	}
	seen := map[string]bool{}
	r.each(func(b block) {
		for _, text := range []string{b.label, b.text} {
			hits := 0
			x.find(text, words(text), func(t term, from, to int) {
				if hits++; hits > maxHits {
					return
				}
				key := b.file + "\x00" + b.section + "\x00" + t.text
				switch {
				case seen[key]:
				case t.banned && b.kind == body:
					seen[key] = true
					res.add(plan.SeverityError, b, around(text, from, to), fmt.Sprintf("The request bans the word “%s”.", t.text))
				case b.kind == body && !denied(text, from, to), t.banned && !denied(text, from, to):
					seen[key] = true
					what := fmt.Sprintf("The request rules out “%s”.", t.text)
					if t.banned {
						what = fmt.Sprintf("The request bans the word “%s”; this text about the plan uses it.", t.text)
					}
					res.add(plan.SeverityWarning, b, around(text, from, to), what)
				}
			})
		}
	})
}

// forbiddenTerms takes the key facts' prohibitions apart. A list behind a colon is a list of words;
// or things, as it says itself; otherwise a prohibition of up to three words is the name of a thing. Longer ones are sentences,
// which only a reader can judge. A word banned in some sense only, as brackets say, is left out.
func forbiddenTerms(r *run) []term {
	banned := map[string]bool{}
	var out []term
	add := func(text string, list bool) {
		text = strings.Trim(text, " \t\"'“”„«»‘’「」『』.,;、")
		t := newTerm(text)
		key := strings.Join(t.words, " ")
		if _, ok := banned[key]; ok || len(t.words) == 0 || len(key) < 2 || strings.ContainsAny(text, "()（）[]") {
			return
		}
		t.banned = list
		banned[key] = true
		out = append(out, t)
	}
	forbids := slices.Clone(r.facts.Forbids)
	if len(forbids) > 100 {
		forbids = forbids[:100]
	}
	for _, m := range wordList.FindAllStringSubmatch(r.prompt+"\n"+strings.Join(forbids, "\n"), -1) {
		label, items, mine := fold(strings.TrimSpace(m[1])), listItems(m[2]), 0
		for _, it := range items {
			if slices.ContainsFunc(forbids, func(f string) bool { return fold(strings.TrimSpace(f)) == fold(it) }) {
				mine++
			}
		}
		ours := slices.ContainsFunc(forbids, func(f string) bool {
			f = fold(strings.TrimSpace(f))
			return f == label || strings.HasPrefix(f, label+":") || strings.HasPrefix(f, label+"：")
		})
		if ours || mine > 0 && mine*2 >= len(items) {
			for _, it := range items {
				if len(words(it)) <= 8 && len(strings.Fields(it)) <= 4 {
					add(it, wordWords.MatchString(label))
				}
			}
		}
	}
	for _, f := range forbids {
		if strings.ContainsAny(f, ":：") {
			continue
		}
		ws := words(f)
		for len(ws) > 0 && slices.Contains(refusals, ws[0].fold) {
			ws = ws[1:]
		}
		if len(ws) > 0 && len(ws) <= 3 {
			add(f[ws[0].from:], false)
		}
	}
	return out
}

// listItems splits at commas outside of brackets.
func listItems(list string) []string {
	var out []string
	depth, from := 0, 0
	for i, r := range list {
		switch r {
		case '(', '（':
			depth++
		case ')', '）':
			depth--
		case ',', '、', ';', '，':
			if depth <= 0 {
				out = append(out, strings.TrimSpace(list[from:i]))
				from = i + len(string(r))
			}
		}
	}
	return append(out, strings.TrimSpace(list[from:]))
}

// denied tells whether the sentence around the bytes keeps away from what they name.
func denied(text string, from, to int) bool {
	left := text[max(0, strings.LastIndexAny(text[:from], ".!?;。！？")):from]
	right := text[to:]
	if i := strings.IndexAny(right, ".!?;。！？"); i >= 0 {
		right = right[:i]
	}
	sentence := left + " " + right
	for _, w := range words(sentence) {
		if slices.Contains(denials, w.fold) {
			return true
		}
	}
	for _, d := range denialsCJK {
		if strings.Contains(sentence, d) {
			return true
		}
	}
	return false
}
