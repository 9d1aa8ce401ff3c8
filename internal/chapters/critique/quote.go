package critique

import (
	"planexe/internal/step"
	"regexp"
	"strings"
)

// material is a text in which quotations are looked up.
type material string

// newMaterial joins documents and makes them comparable.
func newMaterial(documents ...string) material { return material(fold(strings.Join(documents, "\n"))) }

// has tells whether a quotation stands in the material, but for case, white space, marks of
// formatting, and the form of quotation marks and dashes. What an ellipsis leaves out may be
// anything, as long as the pieces stand in their order. Without a letter or digit it is none.
func (m material) has(quote string) bool {
	rest, pieces := string(m), 0
	for _, piece := range ellipsis.Split(fold(quote), -1) {
		piece = strings.Trim(piece, " .,;:\"'")
		if piece == "" {
			continue
		}
		_, after, found := strings.Cut(rest, piece)
		if !found {
			return false
		}
		rest = after
		pieces++
	}
	return pieces > 0
}

var (
	ellipsis = regexp.MustCompile(`\[?\.\.\.\]?`)

	// plain writes look-alikes in one way and drops the marks of Markdown.
	plain = strings.NewReplacer(
		"*", "", "_", "", "`", "", "#", "", `\`, "", "|", " ", `""`, `"`,
		"“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "‘", "'", "’", "'", "‚", "'",
		"–", "-", "—", "-", "‑", "-", "…", "...", "\u00a0", " ", "\u202f", " ")
)

// fold makes texts comparable that differ by case, white space and formatting only.
func fold(text string) string { return strings.ToLower(step.Line(plain.Replace(text))) }
