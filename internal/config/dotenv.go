package config

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	envName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)
	reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_.]*)(?::-([^}]*))?\}`)
	comment   = regexp.MustCompile(`\s#.*$`)
)

var (
	singleEscapes = strings.NewReplacer(`\\`, `\`, `\'`, `'`)
	doubleEscapes = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\'`, `'`, `\n`, "\n", `\t`, "\t", `\r`, "\r",
		`\a`, "\a", `\b`, "\b", `\f`, "\f", `\v`, "\v")
)

// parseDotEnv reads the text of a .env file. ${NAME} and ${NAME:-default} are replaced in every
// kind of value, from the keys above it in the file, else from outer. Keys without "=" are
// dropped, of a repeated key the last one wins. Errors name line and key, never the value.
func parseDotEnv(text string, outer func(string) (string, bool)) (map[string]string, error) {
	values := map[string]string{}
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	for line := 1; text != ""; {
		start := line
		row, rest, _ := strings.Cut(text, "\n")
		key, value, hasValue := strings.Cut(row, "=")
		key = strings.TrimSpace(key)
		if key == "" && !hasValue || strings.HasPrefix(key, "#") {
			text, line = rest, line+1
			continue
		}
		if name, ok := strings.CutPrefix(key, "export"); ok && strings.TrimLeft(name, " \t") != name {
			key = strings.TrimSpace(name)
		}
		if !hasValue {
			key = strings.TrimSpace(comment.ReplaceAllString(key, ""))
		}
		key = unquoteKey(key)
		if !envName.MatchString(key) {
			return nil, fmt.Errorf("line %d: %q is no name of a variable: write NAME=value", start, clip(key, 40))
		}
		if !hasValue {
			text, line = rest, line+1
			continue
		}
		value = strings.TrimLeft(value, " \t")
		if quote := value; quote != "" && (quote[0] == '\'' || quote[0] == '"') {
			// The value may span lines, so it is cut from the whole text.
			whole := text[strings.Index(text, "=")+1:]
			whole = strings.TrimLeft(whole, " \t")
			end := closingQuote(whole)
			if end < 0 {
				return nil, fmt.Errorf("line %d: the quote that opens the value of %s is never closed", start, key)
			}
			value = whole[1:end]
			tail, after, _ := strings.Cut(whole[end+1:], "\n")
			if tail = strings.TrimSpace(tail); tail != "" && tail[0] != '#' {
				return nil, fmt.Errorf("line %d: text after the closing quote of %s: put the whole value into the quotes", start, key)
			}
			line += strings.Count(value, "\n")
			if whole[0] == '"' {
				value = doubleEscapes.Replace(value)
			} else {
				value = singleEscapes.Replace(value)
			}
			rest = after
		} else {
			value = strings.TrimSpace(comment.ReplaceAllString(" "+value, ""))
		}
		values[key] = expand(value, values, outer)
		text, line = rest, line+1
	}
	return values, nil
}

func unquoteKey(key string) string {
	if len(key) > 1 && key[0] == '\'' && key[len(key)-1] == '\'' {
		return key[1 : len(key)-1]
	}
	return key
}

// closingQuote returns the index of the quote that ends the value s starts with, -1 for none.
func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i
		}
	}
	return -1
}

// expand replaces references in one pass: what comes in is not searched again.
func expand(value string, inner map[string]string, outer func(string) (string, bool)) string {
	return reference.ReplaceAllStringFunc(value, func(ref string) string {
		m := reference.FindStringSubmatch(ref)
		if v := inner[m[1]]; v != "" {
			return v
		}
		if v, ok := outer(m[1]); ok {
			return v
		}
		return m[2]
	})
}

// clip shortens text for a message.
func clip(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return string(r[:limit]) + "…"
}
