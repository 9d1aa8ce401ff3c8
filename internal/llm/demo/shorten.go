package demo

import (
	"encoding/json"
	"regexp"
	"strings"

	"planexe/internal/llm"
)

var (
	mark     = regexp.MustCompile(`^(\s*(?:[-*+•]|\d+[.)])\s+|\s*>\s*)?(.*)$`)
	endOfOne = regexp.MustCompile(`[.!?…]["”’)*_]*\s+`)
)

// freeText is the last document of the question in fewer words, or some sentences about the prompt
// when there is none; between marks when the question wants them.
func freeText(w *writer, messages []llm.Message) string {
	source, marks := "", false
	for _, m := range messages {
		marks = marks || strings.Contains(m.Content, llm.StartMarkdown)
		for _, b := range block.FindAllStringSubmatch(m.Content, -1) {
			source = b[2]
		}
	}
	source = strings.NewReplacer(llm.StartMarkdown, "", llm.EndMarkdown, "").Replace(source)
	text := shorten(strings.TrimSpace(asMarkdown(source)))
	if text == "" {
		text = "# " + upper(w.facts.subject) + "\n\n" + w.frame(statements) + " " + w.frame(reasons) + "\n\n- " + w.frame(actions) + "\n- " + w.frame(actions)
	}
	if marks {
		return llm.StartMarkdown + "\n" + text + "\n" + llm.EndMarkdown
	}
	return text
}

// shorten keeps headings, table rows and the first sentence of each paragraph and list item. What
// is no shorter then loses the second half of its lines, of its words, of its letters. A text of one letter stays.
func shorten(source string) string {
	if source == "" {
		return ""
	}
	var out []string
	again := false // inside a paragraph whose first sentence stands already
	for line := range strings.Lines(source) {
		line = strings.TrimRight(line, " \t\r\n")
		part := mark.FindStringSubmatch(line)
		switch {
		case part == nil || strings.TrimSpace(line) == "":
			out, again = append(out, ""), false
		case strings.HasPrefix(line, "#") || strings.HasPrefix(strings.TrimSpace(line), "|"):
			out, again = append(out, line), false
		case part[1] != "" || !again:
			out, again = append(out, part[1]+firstSentence(part[2])), true
		}
	}
	text := strings.TrimSpace(strings.Join(out, "\n"))
	if len(text) < len(source) {
		return text
	}
	for _, by := range []string{"\n", " ", ""} {
		parts := strings.Split(text, by)
		if half := strings.TrimSpace(strings.Join(parts[:(len(parts)+1)/2], by)); half != "" && len(half) < len(source) {
			return half
		}
	}
	return text
}

func firstSentence(s string) string {
	if i := endOfOne.FindStringIndex(s); i != nil {
		return strings.TrimSpace(s[:i[1]])
	}
	return s
}

// asMarkdown writes a JSON object as headings and text; anything else stays as it is.
func asMarkdown(source string) string {
	d := json.NewDecoder(strings.NewReader(source))
	d.UseNumber()
	if !strings.HasPrefix(source, "{") || !json.Valid([]byte(source)) {
		return source
	}
	var b strings.Builder
	var value func(name string, inList bool)
	value = func(name string, inList bool) {
		token, err := d.Token()
		if err != nil {
			return
		}
		switch t := token.(type) {
		case json.Delim:
			if name != "" && !inList {
				b.WriteString("\n## " + upper(strings.ReplaceAll(name, "_", " ")) + "\n")
			}
			for d.More() {
				if t == '[' {
					value(name, true)
					continue
				}
				key, err := d.Token()
				if err != nil {
					return
				}
				field, _ := key.(string)
				value(field, false)
			}
			d.Token() // the closing bracket: the text is known to be valid
		case string:
			switch {
			case inList:
				b.WriteString("- " + strings.Join(strings.Fields(t), " ") + "\n")
			default:
				b.WriteString("\n## " + upper(strings.ReplaceAll(name, "_", " ")) + "\n\n" + strings.TrimSpace(t) + "\n")
			}
		case json.Number:
			b.WriteString("- " + upper(strings.ReplaceAll(name, "_", " ")) + ": " + t.String() + "\n")
		}
	}
	value("", false)
	return b.String()
}
