package check

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"planexe/internal/plan"
)

var (
	bracketed = regexp.MustCompile(`\[([^\[\]\n]{2,60})\]|［([^［］\n]{2,60})］|<([^<>\n]{2,60})>`)
	dummy     = regexp.MustCompile(`\bTB[DC]\b|\bTODO\b|\bFIXME\b|(?i:\blorem ipsum\b)|\{\{[^{}\n]{1,60}\}\}|\$\{[^{}\n]{1,60}\}|\{%[^{}\n]{1,60}%\}|[$€£]\s?X{2,}|[$€£]\s?\d*,?XXX|\bX{2,}\s?%|\bYYYY\b`)
)

// openers begin an instruction to fill something in; blanks are what is to be filled in. They are
// looked for inside brackets only.
var (
	openers = strings.Fields("insert add enter your fill replace specify tbd placeholder einfügen eintragen ihr ihre hier insérer ajouter votre compléter insertar añadir su tu inserire inserir")
	blanks  = strings.Fields(`name names date dates email address number amount percentage company city title role link url phone website datum betrag adresse firma nummer ort telefon
 nom montant numéro ville téléphone entreprise nombre fecha importe dirección empresa ciudad teléfono nome data importo indirizzo azienda città valor endereço`)
	blanksCJK = []string{"名前", "氏名", "日付", "金額", "会社名", "記入", "入力", "挿入", "插入", "填写", "姓名", "日期", "金额"}
)

// placeholders looks for text that was meant to be replaced. A document that quotes another one's
// placeholder is not blamed for it.
func placeholders(r *run, res *result) {
	r.each(func(b block) {
		if b.form == heading && b.text == "" {
			return
		}
		res.looked++
		text := b.text
		if !hasAny(text, "TB", "TODO", "FIXME", "{", "XX", "YYYY", "orem", "OREM", "[", "［", "<") {
			return
		}
		for _, m := range dummy.FindAllStringIndex(text, maxHits) {
			if b.kind != body && quoted(text, m[0]) {
				continue
			}
			res.add(plan.SeverityWarning, b, around(text, m[0], m[1]), "A placeholder was left in the text.")
			return
		}
		for _, m := range bracketed.FindAllStringSubmatchIndex(text, maxHits) {
			inner := ""
			for g := 2; g < len(m); g += 2 {
				if m[g] >= 0 {
					inner = text[m[g]:m[g+1]]
				}
			}
			next, _ := utf8.DecodeRuneInString(text[m[1]:])
			if glued(text, m[0]) || next == '_' || script(next) == 4 && next < utf8.RuneSelf { // part of a file name
				continue
			}
			if blank(inner) && !(b.kind != body && quoted(text, m[0])) {
				res.add(plan.SeverityWarning, b, around(text, m[0], m[1]), "A placeholder was left in the text.")
				return
			}
		}
	})
}

func blank(inner string) bool {
	ws := words(inner)
	if len(ws) == 0 {
		return false
	}
	for _, c := range blanksCJK {
		if strings.Contains(inner, c) {
			return true
		}
	}
	return slices.Contains(openers, ws[0].fold) || len(ws) <= 4 && slices.Contains(blanks, ws[len(ws)-1].fold) || len(ws) <= 2 && slices.Contains(blanks, ws[0].fold)
}

// quoted tells whether byte i stands inside quotation marks that are open on its line.
func quoted(text string, i int) bool {
	before := text[:i]
	for _, q := range []string{"“”", "«»", "「」", "„“", "‘’"} {
		runes := []rune(q)
		if strings.LastIndex(before, string(runes[0])) > strings.LastIndex(before, string(runes[1])) {
			return true
		}
	}
	single := openingQuote.FindAllStringIndex(before, -1)
	return strings.Count(before, `"`)%2 == 1 || len(single) > 0 && !strings.Contains(before[single[len(single)-1][1]:], "' ")
}

// openingQuote is a straight single quote that opens.
var openingQuote = regexp.MustCompile(`(?:^|[\s(])'`)
