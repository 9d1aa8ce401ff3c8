package check

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is one word of a text with its place. Scripts that put no spaces between words give one
// word per character.
type word struct {
	fold     string
	from, to int // bytes
}

// script tells runes apart that never belong to one word.
func script(r rune) int {
	switch {
	case r == '_' || !unicode.In(r, unicode.L, unicode.M, unicode.N):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return 1
	case unicode.Is(unicode.Katakana, r) || r == 'ー':
		return 2
	case unicode.Is(unicode.Hangul, r):
		return 3
	}
	return 4
}

func words(text string) []word {
	var out []word
	last := 0
	for i, r := range text {
		s, end := script(r), i+utf8.RuneLen(r)
		if r == utf8.RuneError {
			s, end = 0, i+1
		}
		switch {
		case s == 0:
		case s == last && s != 1:
			w := &out[len(out)-1]
			w.to = end
		default:
			out = append(out, word{from: i, to: end})
		}
		last = s
	}
	for i := range out {
		out[i].fold = fold(text[out[i].from:out[i].to])
	}
	return out
}

// fold makes spellings that differ by case only the same, final sigma and sharp s included.
func fold(s string) string {
	return strings.ReplaceAll(strings.ToLower(strings.ToUpper(s)), "ß", "ss")
}

// term is a sequence of words that is looked for.
type term struct {
	text   string
	words  []string
	exact  bool // a short abbreviation: "AI" is not the "ai" of other languages
	banned bool // as a word, whatever is said with it
}

func newTerm(text string) term {
	t := term{text: text}
	ws := words(text)
	for _, w := range ws {
		t.words = append(t.words, w.fold)
	}
	t.exact = len(ws) == 1 && utf8.RuneCountInString(text) <= 3 && strings.ToLower(text) != text && strings.ToUpper(text) == text
	return t
}

// index finds terms by their first word.
type index map[string][]term

func newIndex(terms []term) index {
	x := index{}
	for _, t := range terms {
		if len(t.words) > 0 {
			x[t.words[0]] = append(x[t.words[0]], t)
		}
	}
	return x
}

// find calls f for every whole-word occurrence of a term.
func (x index) find(text string, ws []word, f func(t term, from, to int)) {
	for i, w := range ws {
		for _, t := range x[w.fold] {
			n := len(t.words)
			if i+n > len(ws) {
				continue
			}
			same := true
			for j := 1; j < n && same; j++ {
				same = ws[i+j].fold == t.words[j] && apart(text[ws[i+j-1].to:ws[i+j].from])
			}
			from, to := w.from, ws[i+n-1].to
			if same && (!t.exact || text[from:to] == t.text) {
				f(t, from, to)
			}
		}
	}
}

// apart tells whether what stands between two words leaves them one expression.
func apart(gap string) bool {
	return strings.Trim(gap, " \t\u00a0-\u2010\u2011'’") == ""
}
