package check

import (
	"fmt"
	"strings"

	"github.com/abadojack/whatlanggo"

	"planexe/internal/plan"
)

// near are groups of languages that short texts do not tell apart.
var near = []string{"da nb nn no sv", "es pt gl ca", "cs sk", "hr sr bs sl mk bg", "ru uk be bg", "id ms jv", "nl af de", "hi mr ne", "fa ur ar", "az tr tk uz", "zh ja"}

// sureLetters is the least number of letters of a text that is judged.
const sureLetters = 160

// languages looks for sections in another language than the request. A section is judged where
// both halves of its text agree; one finding stands for all of a document.
func languages(r *run, res *result) {
	want := base(r.facts.Language)
	if known[want] == 0 && small[want] == 0 {
		return
	}
	among := candidates(want)
	for _, d := range r.docs {
		var first block
		var quote, other string
		judged, wrong := 0, 0
		for i := 0; i < len(d.blocks); {
			j, text := i, strings.Builder{}
			for ; j < len(d.blocks) && d.blocks[j].section == d.blocks[i].section && d.blocks[j].part == d.blocks[i].part; j++ {
				// Lines set in italics are questions and notes of the pages themselves.
				if b := d.blocks[j]; b.prose() && !(strings.HasPrefix(b.text, "*") && strings.HasSuffix(b.text, "*")) {
					text.WriteString(b.text + "\n")
				}
			}
			if got, ok := detect(text.String(), among); ok {
				judged++
				if got != want && !alike(got, want) {
					if wrong++; wrong == 1 {
						first, quote, other = d.blocks[i], text.String(), got
					}
				}
			}
			i = j
		}
		res.looked += judged
		switch {
		case wrong == 1:
			res.add(plan.SeverityError, first, quote, fmt.Sprintf("The section is in the language “%s”, the request in “%s”.", other, want))
		case wrong > 1:
			res.add(plan.SeverityError, first, quote, fmt.Sprintf(
				"%d of %d sections that can be judged are in another language than the request (“%s”); the first one is in “%s”.", wrong, judged, want, other))
		}
	}
}

// detect returns the language of a text; not ok where it is too short or not clear.
func detect(text string, among whatlanggo.Options) (string, bool) {
	const most = 1500 // the detector's confidence breaks down on longer texts
	letters := 0
	for i, r := range text {
		if s := script(r); s > 0 {
			letters++
			if s < 4 {
				letters += 2
			}
		}
		if i > most {
			text = text[:i]
			break
		}
	}
	if letters < sureLetters {
		return "", false
	}
	half := len(text) / 2
	if i := strings.IndexAny(text[half:], " \n。、"); i >= 0 {
		half += i
	}
	a, b := whatlanggo.DetectWithOptions(text[:half], among), whatlanggo.DetectWithOptions(text[half:], among)
	whole := whatlanggo.DetectWithOptions(text, among)
	if whole.Lang < 0 || a.Lang != whole.Lang || b.Lang != whole.Lang || !whole.IsReliable() {
		return "", false
	}
	return whole.Lang.Iso6391(), true
}

// detectTag guesses the language of a request; "" when it is not clear.
func detectTag(text string) string {
	tag, _ := detect(text, candidates(""))
	return tag
}

// known are the languages that are judged, by their two-letter code. Profiles of small languages win
// by chance, so that they are candidates only where the request is in one of them.
var known = map[string]whatlanggo.Lang{
	"en": whatlanggo.Eng, "de": whatlanggo.Deu, "fr": whatlanggo.Fra, "es": whatlanggo.Spa, "it": whatlanggo.Ita, "pt": whatlanggo.Por, "nl": whatlanggo.Nld,
	"pl": whatlanggo.Pol, "ru": whatlanggo.Rus, "uk": whatlanggo.Ukr, "tr": whatlanggo.Tur, "sv": whatlanggo.Swe, "cs": whatlanggo.Ces, "hu": whatlanggo.Hun,
	"fi": whatlanggo.Fin, "el": whatlanggo.Ell, "ja": whatlanggo.Jpn, "zh": whatlanggo.Cmn, "ko": whatlanggo.Kor, "ar": whatlanggo.Arb, "he": whatlanggo.Heb,
	"hi": whatlanggo.Hin, "th": whatlanggo.Tha, "vi": whatlanggo.Vie, "id": whatlanggo.Ind, "ro": whatlanggo.Ron,
}

// small are further languages of requests.
var small = map[string]whatlanggo.Lang{
	"da": whatlanggo.Dan, "nb": whatlanggo.Nob, "no": whatlanggo.Nob, "nn": whatlanggo.Nno, "bg": whatlanggo.Bul, "hr": whatlanggo.Hrv, "sr": whatlanggo.Srp,
	"sl": whatlanggo.Slv, "mk": whatlanggo.Mkd, "be": whatlanggo.Bel, "et": whatlanggo.Est, "lv": whatlanggo.Lav, "lt": whatlanggo.Lit, "fa": whatlanggo.Pes,
	"ur": whatlanggo.Urd, "bn": whatlanggo.Ben, "ta": whatlanggo.Tam, "te": whatlanggo.Tel, "mr": whatlanggo.Mar, "ka": whatlanggo.Kat,
}

// candidates are the large languages and the wanted one.
func candidates(want string) whatlanggo.Options {
	o := whatlanggo.Options{Whitelist: map[whatlanggo.Lang]bool{}}
	for _, lang := range known {
		o.Whitelist[lang] = true
	}
	if lang, ok := small[want]; ok {
		o.Whitelist[lang] = true
	}
	return o
}

func alike(a, b string) bool {
	for _, group := range near {
		g := " " + group + " "
		if strings.Contains(g, " "+a+" ") && strings.Contains(g, " "+b+" ") {
			return true
		}
	}
	return false
}
