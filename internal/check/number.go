package check

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// number is a number as it stands in a text.
type number struct {
	value    float64
	grain    float64 // value of one unit of the last digit that is written
	from, to int     // bytes, the scale word included
}

// amount is a number of money.
type amount struct {
	number
	code string // ISO 4217, or a sign several currencies share: "$", "¥", "kr"
}

const (
	digits  = "0123456789"
	numeral = `\d{1,3}(?:[,.'’ \x{a0}\x{202f}]\d{2,3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?`
	scale   = `(?:[ \x{a0}\x{202f}-]?(?i:thousand|million(?:en|es|s|i)?|milli[óo]n(?:es)?|milh(?:ão|ões)|milion[ei]|miljoen|millard[se]?|milliard(?:en|s|e)?|miliard[io]|billion|mln|bln|bn|tausend|mille|mil)\b|[ \x{a0}]?(?i:mio|mrd|tsd)\b\.?|[KkMmB]\b|[ \x{a0}]?[百十]?[万萬億亿千])`
	sign    = `US\$|CA\$|AU\$|NZ\$|HK\$|R\$|C\$|A\$|S\$|[$€£¥₹₩₽₺₪₫₱₴฿￥]`
	code    = `(?:USD|EUR|GBP|JPY|CNY|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB|UAH|INR|KRW|BRL|MXN|ZAR|SGD|HKD|THB|IDR|MYR|VND|ILS|AED|SAR|EGP|NGN|KES|ARS|CLP|COP|TWD|ISK)`
	after   = code + `\b|[€£¥₹₩₽₺₪₫₱₴฿$￥]|zł|Kč|kr\b|円|[Ee]uros?\b`
)

var (
	moneyForm = regexp.MustCompile(`(?:\b(` + code + `)[ \x{a0}]?)?(` + sign + `)?[ \x{a0}]?(` + numeral + `)(` + scale + `)?(?:[ \x{a0}\x{202f}]?(` + after + `))?`)
	codeWord  = regexp.MustCompile(`\b` + code + `\b`)
)

var signs = map[string]string{
	"US$": "USD", "CA$": "CAD", "C$": "CAD", "AU$": "AUD", "A$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "R$": "BRL",
	"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₪": "ILS", "₫": "VND", "₱": "PHP", "₴": "UAH", "฿": "THB",
	"¥": "¥", "￥": "¥", "円": "JPY", "zł": "PLN", "Kč": "CZK",
}

// shared tells which currencies a sign may mean.
var shared = map[string]string{
	"$": "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP BRL", "¥": "JPY CNY", "kr": "SEK NOK DKK ISK",
}

// same tells whether a sign or code may mean the given currency.
func same(written, currency string) bool {
	return written == currency || strings.Contains(shared[written], currency) && currency != "" || strings.Contains(shared[currency], written) && written != ""
}

// amounts returns the amounts of money in a text that can be read without doubt.
func amounts(text, lang string) []amount {
	if !strings.ContainsAny(text, digits) {
		return nil
	}
	var out []amount
	for _, m := range moneyForm.FindAllStringSubmatchIndex(text, -1) {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		a := amount{number: number{from: m[0], to: m[1]}}
		for _, s := range []string{group(1), group(5), group(2)} { // a code says more than a sign
			if c := currencyOf(s); len(c) == 3 && len(a.code) < 3 || a.code == "" {
				a.code = c
			}
		}
		if a.code == "" || group(1)+group(2) == "" && glued(text, m[6]) || cut(text, m[1]) {
			continue
		}
		value, grain, ok := parseNumber(group(3), group(4), lang)
		if !ok {
			continue
		}
		a.value, a.grain = value, grain
		out = append(out, a)
	}
	return out
}

func currencyOf(written string) string {
	if c := signs[written]; c != "" {
		return c
	}
	if strings.HasPrefix(fold(written), "euro") {
		return "EUR"
	}
	return written
}

// glued tells whether the number at i is the end of a word or of another number.
func glued(text string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(text[:i])
	return script(r) == 4 || r == '.' || r == ',' || r == '_'
}

// cut tells whether what ends at i goes on as a word or number: it is something else, as in "5G".
func cut(text string, i int) bool {
	last, _ := utf8.DecodeLastRuneInString(text[:i])
	next, _ := utf8.DecodeRuneInString(text[i:])
	return script(last) == 4 && script(next) == 4
}

// ranged tells whether the bytes are one end of a range.
func ranged(text string, from, to int) bool {
	left, right := strings.TrimRight(text[:from], " "), strings.TrimLeft(text[to:], " ")
	return strings.HasSuffix(left, "-") || strings.HasSuffix(left, "–") || strings.HasPrefix(right, "-") || strings.HasPrefix(right, "–") ||
		strings.HasSuffix(left, "~") || strings.HasPrefix(right, "〜") || strings.HasSuffix(left, "〜")
}

// pointLangs write decimals with a point.
const pointLangs = " en ja zh ko th he hi bn ta te ms "

// parseNumber reads a numeral with its scale word. It is not ok where a reader could read it in
// more than one way.
func parseNumber(written, scaleWord, lang string) (value, grain float64, ok bool) {
	points := strings.Contains(pointLangs, " "+base(lang)+" ")
	seps := ""
	var groups []string
	begin := 0
	for i, r := range written {
		if r < '0' || r > '9' {
			if r == '\u00a0' || r == '\u202f' || r == '’' {
				r = ' '
			}
			seps += string(r)
			groups = append(groups, written[begin:i])
			begin = i + len(string(r))
			for begin < len(written) && !utf8.RuneStart(written[begin]) {
				begin++
			}
		}
	}
	groups = append(groups, written[begin:])
	last := groups[len(groups)-1]
	fraction := ""
	switch {
	case seps == "":
	case strings.Trim(seps, seps[:1]) != "" && strings.Count(seps, seps[len(seps)-1:]) == 1: // the last one differs: it is the decimal one
		fraction, groups = last, groups[:len(groups)-1]
	case len(seps) == 1 && (seps == "." || seps == ",") && (len(last) != 3 || groups[0] == "0"):
		fraction, groups = last, groups[:1]
	case len(seps) == 1 && seps == "." && (points || lang == ""), len(seps) == 1 && seps == "," && scaleWord != "" && !points: // 1.234 or 1,234 million
		return 0, 0, false
	}
	for i, g := range groups {
		if i > 0 && len(g) != 3 && !(len(g) == 2 && i < len(groups)-1) || i > 0 && len(groups[0]) > 3 {
			return 0, 0, false
		}
	}
	whole := strings.Join(groups, "")
	if len(whole)+len(fraction) > 15 {
		return 0, 0, false
	}
	v, err := strconv.ParseFloat(whole+"."+fraction+"0", 64)
	if err != nil {
		return 0, 0, false
	}
	grain = math.Pow(10, -float64(len(fraction)))
	factor, known := scaleOf(scaleWord, lang)
	return v * factor, grain * factor, known
}

func scaleOf(w, lang string) (float64, bool) {
	w = strings.Trim(fold(w), " \u00a0\u202f-.")
	factor := 1.0
	if r, n := utf8.DecodeRuneInString(w); r == '百' || r == '十' {
		factor, w = map[rune]float64{'百': 100, '十': 10}[r], w[n:]
	}
	switch {
	case w == "":
	case w == "k", w == "thousand", w == "tausend", w == "tsd", w == "mille", w == "mil", w == "千":
		factor *= 1e3
	case w == "万", w == "萬":
		factor *= 1e4
	case w == "億", w == "亿":
		factor *= 1e8
	case w == "billion", w == "b":
		return 1e9, base(lang) == "en"
	case strings.HasPrefix(w, "milliard"), strings.HasPrefix(w, "millard"), strings.HasPrefix(w, "miliard"), w == "mrd", w == "bn", w == "bln":
		factor *= 1e9
	default:
		factor *= 1e6
	}
	return factor, true
}

// base is the language of a tag, without region and script.
func base(tag string) string {
	b, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	return strings.ToLower(b)
}
