package demo

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"planexe/internal/llm"
)

// facts are the user's own words, sorted by what they can stand for in a sentence.
type facts struct {
	text       string // the prompt, or what comes closest to it
	subject    string // what is planned, such as "bakery in Lyon"
	topics     []string
	places     []string
	amounts    []string  // of money, as written
	spans      []string  // of time, as written
	currencies []string  // ISO 4217, the prompt's first
	today      time.Time // zero when the prompt does not say
}

const (
	maxPrompt = 64 << 10 // bytes looked at
	maxTopics = 24
)

var (
	block     = regexp.MustCompile(`(?s)<document name="([^"]*)">\n?(.*?)\n?</document>`)
	dateLine  = regexp.MustCompile(`Today's date:\s*(\d{4}-\w{2,3}-\d{2})`)
	unwanted  = regexp.MustCompile(`(?i)\b(banned|don't|do not|avoid|never|exclude|without)\b`)
	sentence  = regexp.MustCompile(`[^.!?\n]+(?:[.!?]\S[^.!?\n]*)*`) // a dot inside a word or number ends none
	capitals  = regexp.MustCompile(`\b(?:in|at|near|around|outside)\s+(\p{Lu}\p{Ll}[\p{L}'-]*(?:,? \p{Lu}\p{Ll}[\p{L}'-]*){0,2})`)
	span      = regexp.MustCompile(`\b\d+ (?:days|weeks|months|years)\b`)
	amount    = regexp.MustCompile(`(?i)(?:[€$£¥₹]\s?\d[\d.,]*(?:\s?(?:k|m|bn|thousand|million|billion)\b)?|\b\d[\d.,]*(?:\s?(?:k|m|thousand|million|billion))?\s?(?:[€£]|(?:euros?|dollars?|pounds|` + codes + `)\b))`)
	number    = regexp.MustCompile(`\d[\d.,]*`)
	code      = regexp.MustCompile(`\b(?:` + codes + `)\b`)
	separator = regexp.MustCompile(`[,;:()\[\]{}"“”«»—–/\\|*#<>=…]+|\s-\s`)
)

const codes = `AED|ARS|AUD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KES|KRW|MAD|MXN|MYR|NGN|NOK|NZD|PEN|PHP|PKR|PLN|RON|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR`

// money tells the currency by other signs, tried in this order after the codes themselves.
var money = []struct{ sign, code string }{
	{"€", "EUR"}, {"£", "GBP"}, {"¥", "JPY"}, {"₹", "INR"}, {"$", "USD"}, {"euro", "EUR"}, {"dollar", "USD"}, {"rupee", "INR"},
	{"germany", "EUR"}, {"france", "EUR"}, {"spain", "EUR"}, {"italy", "EUR"}, {"netherlands", "EUR"}, {"ireland", "EUR"}, {"austria", "EUR"},
	{"united kingdom", "GBP"}, {"london", "GBP"}, {"england", "GBP"}, {"denmark", "DKK"}, {"sweden", "SEK"}, {"norway", "NOK"}, {"switzerland", "CHF"},
	{"poland", "PLN"}, {"japan", "JPY"}, {"china", "CNY"}, {"india", "INR"}, {"canada", "CAD"}, {"australia", "AUD"}, {"brazil", "BRL"}, {"mexico", "MXN"},
}

// read finds the prompt in the messages and takes it apart.
func read(messages []llm.Message) facts {
	f := facts{text: promptText(messages)}
	for _, m := range messages {
		if d := dateLine.FindStringSubmatch(m.Content); d != nil && f.today.IsZero() {
			for _, layout := range []string{"2006-Jan-02", time.DateOnly} {
				if t, err := time.Parse(layout, d[1]); err == nil {
					f.today = t
				}
			}
		}
	}
	for _, m := range capitals.FindAllStringSubmatch(f.text, 4) {
		if !month[strings.ToLower(strings.Fields(m[1])[0])] {
			f.places = keep(f.places, strings.Join(strings.Fields(m[1]), " "))
		}
	}
	f.amounts = large(amount.FindAllString(f.text, 12))
	for _, m := range span.FindAllString(f.text, 6) {
		f.spans = keep(f.spans, m)
	}
	f.currencies = currencies(f.text)
	f.subject = subject(f.text)
	f.topics = slices.DeleteFunc(topics(f.text), func(t string) bool {
		return slices.ContainsFunc(f.places, func(p string) bool { return strings.Contains(p, upper(t)) })
	})
	return f
}

// promptText is the text after "Plan:" in the document named prompt; else the other documents of
// the last user message; else all of that message.
func promptText(messages []llm.Message) string {
	last := ""
	for _, m := range messages {
		if m.Role != llm.User {
			continue
		}
		last = m.Content
		if _, after, ok := strings.Cut(m.Content, `<document name="prompt">`); ok {
			text, _, _ := strings.Cut(after, "</document>")
			if _, after, ok := strings.Cut(text, "Plan:"); ok {
				text = after
			}
			text, _, _ = strings.Cut(text, "Today's date:")
			return clip(strings.TrimSpace(text), maxPrompt)
		}
	}
	var documents []string
	for _, b := range block.FindAllStringSubmatch(last, -1) {
		documents = append(documents, b[2])
	}
	if documents != nil {
		last = strings.Join(documents, "\n")
	}
	return clip(strings.TrimSpace(last), maxPrompt)
}

func currencies(text string) []string {
	var out []string
	for _, c := range code.FindAllString(text, 8) {
		out = keep(out, c)
	}
	lower := strings.ToLower(text)
	for _, m := range money {
		if strings.Contains(lower, m.sign) {
			out = keep(out, m.code)
		}
	}
	for _, c := range []string{"USD", "EUR", "GBP", "CHF"} { // so that a list of them does not run dry
		out = keep(out, c)
	}
	return out
}

// subject is what the first sentence is about: "Open a bakery in Lyon with …" → "bakery in Lyon".
func subject(text string) string {
	first := separator.Split(strings.TrimLeft(sentence.FindString(text), "# *-_\"{["), 2)[0]
	words := strings.Fields(first)
	for len(words) > 1 && opening[strings.ToLower(words[0])] {
		words = words[1:]
	}
	const most = 7
	for i, w := range words {
		if i > 0 && clauseStart[strings.ToLower(w)] || i == most {
			words = words[:i]
			break
		}
	}
	for len(words) > 1 && stop[strings.ToLower(words[len(words)-1])] {
		words = words[:len(words)-1]
	}
	s := clip(strings.Trim(strings.Join(words, " "), " .,!?'"), 80)
	if s == "" {
		return "plan"
	}
	return s
}

// large leaves out what is small against the largest amount: prices of single things.
func large(amounts []string) []string {
	worth := func(s string) float64 {
		digits := strings.ReplaceAll(number.FindString(s), ",", "")
		v, err := strconv.ParseFloat(strings.TrimRight(digits, "."), 64)
		if err != nil { // such as 1.000.000
			v, _ = strconv.ParseFloat(strings.ReplaceAll(digits, ".", ""), 64)
		}
		switch unit := strings.ToLower(strings.TrimLeft(s[number.FindStringIndex(s)[1]:], " ")); {
		case strings.HasPrefix(unit, "k") || strings.HasPrefix(unit, "thousand"):
			v *= 1e3
		case strings.HasPrefix(unit, "b"):
			v *= 1e9
		case strings.HasPrefix(unit, "m"):
			v *= 1e6
		}
		return v
	}
	most := 0.0
	for _, a := range amounts {
		most = max(most, worth(a))
	}
	var out []string
	for _, a := range amounts {
		if 10*worth(a) >= most {
			out = keep(out, strings.Trim(a, " .,"))
		}
	}
	return out
}

// topics are runs of up to three words that mean something, longer runs first. What the user does
// not want is left out.
func topics(text string) []string {
	var runs, singles []string
	for _, s := range sentence.FindAllString(text, 400) {
		if unwanted.MatchString(s) {
			continue
		}
		for i, part := range separator.Split(s, -1) {
			var run []string
			flush := func() {
				if n := len(run); n > 1 {
					runs = keep(runs, strings.Join(run[max(0, n-3):], " "))
				} else if n == 1 && utf8.RuneCountInString(run[0]) > 3 && !strings.HasSuffix(run[0], "ing") {
					singles = keep(singles, run[0])
				}
				run = nil
			}
			for j, w := range strings.Fields(part) {
				w = strings.Trim(w, "'’`._-!?")
				if w == "" || strings.HasSuffix(w, "ly") || stop[strings.ToLower(w)] || verb[strings.ToLower(w)] || strings.ContainsFunc(w, unicode.IsDigit) || strings.ContainsAny(w, "€$£¥₹@%&") {
					flush()
					continue
				}
				if i+j == 0 { // a capital that only begins the sentence
					w = lower(w)
				}
				run = append(run, clip(w, 40))
			}
			flush()
		}
	}
	out := append(runs, singles...)
	return out[:min(len(out), maxTopics)]
}

// lower takes the capital from a word, but not from ABC or McX.
func lower(w string) string {
	r, n := utf8.DecodeRuneInString(w)
	if strings.ContainsFunc(w[n:], unicode.IsUpper) {
		return w
	}
	return string(unicode.ToLower(r)) + w[n:]
}

func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// keep appends what is not there yet, whatever its case.
func keep(list []string, s string) []string {
	if s == "" || slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, s) }) {
		return list
	}
	return append(list, s)
}

// clip cuts to at most n bytes of valid text.
func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

func set(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

var (
	month   = set(`january february march april may june july august september october november december`)
	opening = set(`i we i'd we'd i'm want wants would like need to please help me us my our plan planning make making create creating build
		building open opening start starting set up establish establishing develop developing launch launching design write writing
		run running organise organize organizing buy a an the for of`)
	clauseStart = set(`with featuring that which where who because so while using including and for under funded before after when but to by on within as`)
	verb        = set(`make makes made create build open opens start set establish develop launch run runs buy sell sells use uses using add get
		give gives include includes including keep want wants need needs go pick take takes let lets find help plan featuring blending filled
		covering following leveraging addresses houses renovated preserving targets conditional provides requires lacks funded allow`)
	stop = set(`a an the and or but nor of in on at to for from by with without into onto over under about between among within across per via
		as is are was were be been being has have had do does did will would should could can may might must shall i we you he she it they me
		us him her them my our your his its their this that these those there here where when while who whom whose which what why how than
		then so if because not no yes also only just very more most less least some any all each every both few many much other another such
		own same too up down out off again once asap approximately around during after before until against through near
		day days week weeks month months year years today people thing things way part
		der die das und ein eine mit für von zu im den dem des ist auf le la les un une des et en de du pour avec dans el los las y con para por
		una il lo los gli e di da per che`)
)
