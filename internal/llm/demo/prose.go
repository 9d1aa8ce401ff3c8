package demo

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
)

// writer writes texts that do not repeat each other.
type writer struct {
	rng    *rand.Rand
	facts  facts
	topics []string // of the prompt, in an order of this answer's own; general ones behind them
	next   int
	used   map[string]bool
	asked  string // the whole question in lower case: a name that stands in it is taken
}

func newWriter(rng *rand.Rand, f facts, messages []llm.Message) *writer {
	w := &writer{rng: rng, facts: f, used: map[string]bool{}}
	w.topics = append(w.topics, f.topics...)
	rng.Shuffle(len(w.topics), func(i, j int) { w.topics[i], w.topics[j] = w.topics[j], w.topics[i] })
	if len(w.topics) < 8 {
		for _, t := range general {
			w.topics = keep(w.topics, t)
		}
	}
	var b strings.Builder
	for _, m := range messages {
		b.WriteString(strings.ToLower(m.Content))
	}
	w.asked = b.String()
	return w
}

// style is how a field is written: a sentence form, or a short text.
type style struct {
	words  []string // of field names that are written so
	frames []string
	short  bool // no sentence: no full stop
	repeat bool // the same text may stand in many places
}

// text writes what fits the field's name and the node's limits.
func (w *writer) text(s *schema.Schema, at place) string {
	st := styleOf(at.name)
	st.repeat = st.repeat || isTitle(at.name)
	most := s.MaxWords
	for range 40 {
		text := limit(w.draft(st, at), most)
		if text == "" || w.used[strings.ToLower(text)] && (!st.repeat || at.item) {
			continue
		}
		if st.short && !st.repeat && len(text) > 3 && strings.Contains(w.asked, strings.ToLower(text)) {
			continue
		}
		w.used[strings.ToLower(text)] = true
		return text
	}
	// Few words and many items: number them.
	text := limit(w.draft(st, at), most)
	stem := strings.TrimSuffix(text, ".")
	for n := 2; ; n++ {
		numbered := fmt.Sprintf("%s %d", stem, n)
		if most > 0 && len(strings.Fields(numbered)) > most {
			numbered = fmt.Sprintf("%s-%d", stem, n)
		}
		if !w.used[strings.ToLower(numbered)] {
			w.used[strings.ToLower(numbered)] = true
			return numbered
		}
	}
}

func (w *writer) draft(st style, at place) string {
	switch {
	case at.name == "id" || strings.HasSuffix(at.name, "_id") || strings.HasSuffix(at.name, "_ids"):
		return fmt.Sprintf("%s%d", strings.ToUpper(at.name[:1]), at.index+1)
	case is(at.name, "currency") && !is(at.name, "strategy"):
		return w.facts.currencies[at.index%len(w.facts.currencies)]
	case is(at.name, "date"):
		if !w.facts.today.IsZero() {
			return w.facts.today.AddDate(0, 0, 7*(at.index+1)).Format(time.DateOnly)
		}
		return fmt.Sprintf("Week %d", at.index+1)
	case is(at.name, "url", "link"):
		return "none"
	case isTitle(at.name):
		return upper(w.facts.subject)
	}
	text := w.frame(st.frames)
	if !st.short && !at.item && is(at.name, "summary", "overview", "description", "details", "pitch", "story", "takeaway", "background", "markdown") {
		text += " " + w.frame(st.frames) + " " + w.frame(statements)
	}
	return text
}

// isTitle tells whether a field names the whole plan.
func isTitle(name string) bool { return is(name, "project_title", "book_title") }

// frame fills one of the frames of which all words are known.
func (w *writer) frame(frames []string) string {
	start := w.rng.IntN(len(frames))
	for i := range frames {
		if text, ok := w.fill(frames[(start+i)%len(frames)]); ok {
			return text
		}
	}
	return "This concerns the " + w.facts.subject + "."
}

// fill puts words into a frame; false when the prompt has none for one of them.
func (w *writer) fill(frame string) (string, bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(frame, "{")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		var name string
		name, frame, _ = strings.Cut(rest, "}")
		word := w.word(strings.ToLower(name))
		if word == "" {
			return "", false
		}
		if name[0] < 'a' {
			word = upper(word)
		}
		b.WriteString(word)
	}
}

func (w *writer) word(name string) string {
	switch name {
	case "topic", "other":
		return w.topic()
	case "role":
		return w.pick(roles)
	case "aspect":
		return w.pick(aspects)
	case "place":
		return w.pick(w.facts.places)
	case "money":
		return w.pick(w.facts.amounts)
	case "span":
		return w.pick(w.facts.spans)
	case "currency":
		return w.facts.currencies[0]
	case "week":
		return strconv.Itoa(1 + w.rng.IntN(12))
	}
	return "the " + w.facts.subject
}

func (w *writer) topic() string {
	w.next++
	return w.topics[w.next%len(w.topics)]
}

func (w *writer) pick(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[w.rng.IntN(len(list))]
}

// limit cuts to at most that many words: to whole sentences where one fits. 0 is no limit.
func limit(text string, words int) string {
	all := strings.Fields(text)
	if words == 0 || len(all) <= words {
		return text
	}
	whole := 0
	for i, w := range all[:words] {
		if strings.HasSuffix(w, ".") || strings.HasSuffix(w, "?") {
			whole = i + 1
		}
	}
	if whole > 0 {
		return strings.Join(all[:whole], " ")
	}
	cut := all[:words]
	for len(cut) > 1 && stop[strings.ToLower(strings.Trim(cut[len(cut)-1], ",:;"))] {
		cut = cut[:len(cut)-1]
	}
	out := strings.TrimRight(strings.Join(cut, " "), ",:;")
	switch text[len(text)-1] {
	case '.', '?':
		out += text[len(text)-1:]
	}
	return out
}

// styleOf finds the style by the words of a field's name, the last one first: a risk_mitigation is a
// mitigation.
func styleOf(name string) style {
	words := strings.Split(strings.ToLower(name), "_")
	for i := len(words) - 1; i >= 0; i-- {
		for _, st := range styles {
			for _, w := range st.words {
				if words[i] == w || words[i] == w+"s" {
					return st
				}
			}
		}
	}
	return style{frames: statements}
}

func (f facts) onScreen() bool {
	return is(strings.Join(strings.Fields(strings.ToLower(strings.NewReplacer(".", " ", ",", " ", "-", " ").Replace(f.text))), "_"),
		"software", "website", "web", "app", "code", "script", "novel", "essay", "poem", "blog", "podcast", "online", "program", "library", "api", "video_game", "game") &&
		len(f.places) == 0
}

func (f facts) private() bool {
	return utf8.RuneCountInString(f.text) < 2000 && is(strings.Join(strings.Fields(strings.ToLower(f.text)), "_"), "my") && len(f.amounts) == 0
}
