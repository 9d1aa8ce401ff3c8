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
		row, rest, _ := strings.Cut(text, "\n")
		key, value, hasValue := strings.Cut(row, "=")
		key = strings.TrimSpace(key)
		if empty := key == "" && !hasValue; !empty && !strings.HasPrefix(key, "#") {
			if key = cleanKey(key, hasValue); !envName.MatchString(key) {
				return nil, fmt.Errorf("line %d: %q is no name of a variable: write NAME=value", line, clip(key, 40))
			}
			if hasValue {
				var err error
				if value, rest, err = cutValue(key, text[len(row)-len(value):]); err != nil {
					return nil, fmt.Errorf("line %d: %w", line, err)
				}
				values[key] = expand(value, values, outer)
			}
		}
		line += strings.Count(text[:len(text)-len(rest)], "\n")
		text = rest
	}
	return values, nil
}

// cleanKey takes "export" and quotes away, and the comment after a key that has no value.
func cleanKey(key string, hasValue bool) string {
	if name, ok := strings.CutPrefix(key, "export"); ok && strings.TrimLeft(name, " \t") != name {
		key = strings.TrimSpace(name)
	}
	if !hasValue {
		key = strings.TrimSpace(comment.ReplaceAllString(key, ""))
	}
	if len(key) > 1 && key[0] == '\'' && key[len(key)-1] == '\'' {
		return key[1 : len(key)-1]
	}
	return key
}

// cutValue cuts the value that a text begins with, and the rest of its last line. A value in quotes
// may span lines.
func cutValue(key, text string) (value, rest string, err error) {
	text = strings.TrimLeft(text, " \t")
	if text == "" || text[0] != '\'' && text[0] != '"' {
		value, rest, _ = strings.Cut(text, "\n")
		return strings.TrimSpace(comment.ReplaceAllString(" "+value, "")), rest, nil
	}
	end := closingQuote(text)
	if end < 0 {
		return "", "", fmt.Errorf("the quote that opens the value of %s is never closed", key)
	}
	tail, rest, _ := strings.Cut(text[end+1:], "\n")
	if tail = strings.TrimSpace(tail); tail != "" && tail[0] != '#' {
		return "", "", fmt.Errorf("text after the closing quote of %s: put the whole value into the quotes", key)
	}
	escapes := singleEscapes
	if text[0] == '"' {
		escapes = doubleEscapes
	}
	return escapes.Replace(text[1:end]), rest, nil
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
