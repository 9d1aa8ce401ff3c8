package step

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Title writes a word of a fixed list with a capital, as pages show it.
func Title(word string) string {
	r, n := utf8.DecodeRuneInString(word)
	return string(unicode.ToUpper(r)) + word[n:]
}

// Bullets writes one list line per item. Line breaks inside an item become spaces, so that it
// stays one item.
func Bullets(items []string) string {
	var b strings.Builder
	for _, s := range items {
		b.WriteString("- " + Line(s) + "\n")
	}
	return b.String()
}

// Cell writes text so that it stays one cell of a Markdown table.
func Cell(s string) string {
	return strings.ReplaceAll(Line(s), "|", `\|`)
}

// Line keeps a text from breaking out of the line, heading or cell it stands in.
func Line(text string) string { return strings.Join(strings.Fields(text), " ") }

// Fold makes texts comparable that differ only by case and white space.
func Fold(text string) string { return strings.ToLower(Line(text)) }
