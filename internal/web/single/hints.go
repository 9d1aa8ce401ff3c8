package single

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// seen is what a look at a description finds. It tells no words of any language apart, only amounts,
// dates and length.
type seen struct {
	characters, words int
	tooLong           bool
	money, date       bool
}

var (
	amounts = regexp.MustCompile(`[€$£¥₹₩₺₽₫฿₦₱]|\b(EUR|USD|GBP|CHF|DKK|SEK|NOK|JPY|CNY|INR|BRL|MXN|CAD|AUD|NZD|ZAR|KES|NGN|PLN|CZK|HUF|TRY|KRW|SGD|HKD|AED)\b|\d\s*(kr|euros?|dollars?|pounds?|francs?|pesos?|reais|円|元)\b|\d\s*[万億]?(円|元)`)
	dates   = regexp.MustCompile(`\b(19|20)\d\d\b|\b\d{1,2}[./-]\d{1,2}\b|\d\s*[年月日週]|\b\d+\s*(day|week|month|year|Tag|Woche|Monat|Jahr|jour|semaine|mois|an|día|semana|mes|año|mês|ano|dag|uge|måned|år)(s|e|en|er|es|n|r)?\b`)
)

// look looks at a description.
func look(text string) seen {
	text = strings.TrimSpace(text)
	return seen{
		characters: utf8.RuneCountInString(text), words: words(text), tooLong: len(text) > mostPrompt,
		money: amounts.MatchString(text), date: dates.MatchString(text),
	}
}

// words counts the words of a text. Scripts without spaces count two characters as one.
func words(text string) int {
	dense := 0
	for _, r := range text {
		if r >= firstDense && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai) {
			dense++
		}
	}
	return len(strings.Fields(text)) + dense/2
}

// firstDense is the first character of such a script.
const firstDense = 0x0e01

func (s seen) count() string {
	return fmt.Sprintf("%s, %s", counted(s.characters, "character", "characters"), counted(s.words, "word", "words"))
}

// lack is one thing that makes a description weak.
type lack struct {
	ok   bool
	text string
}

// enough is the number of words from which a plan has something to go by; the best plans come from
// several hundred.
const enough = 40

func (s seen) lacks() []lack {
	length := "Longer: most plans need 40 words, and 300 to 800 give the best ones"
	if s.words >= enough {
		length = "Long enough to go by; 300 to 800 words give the best plans"
	}
	return []lack{
		{s.words >= enough, length},
		{s.money, pick(s.money, "Names an amount of money", "A budget: an amount with its currency")},
		{s.date, pick(s.date, "Names a date or a time", "A date: when it has to begin or be done")},
	}
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
