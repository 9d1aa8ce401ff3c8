package project

import (
	"net/url"
	"planexe/internal/step"
	"regexp"
	"strings"
	"unicode"
)

var (
	markdownLink = regexp.MustCompile(`\[([^\]]*)\]\(\s*<?([^)\s>]*)[^)]*\)`)
	email        = regexp.MustCompile(`(?i)(?:mailto:)?[\w.%+-]+@[\w-]+(?:\.[\w-]+)+`)
	address      = regexp.MustCompile(`(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)[^\s<>"'()\[\]]*`)
)

// withoutContacts takes out of a text the e-mail addresses, the links to persons and the links that
// are none; it returns those as well. Other links become bare addresses.
func withoutContacts(text string) (kept string, dropped []string) {
	drop := func(what string) string {
		dropped = append(dropped, what)
		return ""
	}
	text = markdownLink.ReplaceAllStringFunc(text, func(link string) string {
		parts := markdownLink.FindStringSubmatch(link)
		label, target := parts[1], parts[2]
		if !email.MatchString(target) && !address.MatchString(target) {
			target = drop(target)
		}
		if strings.TrimSpace(label) == target {
			return target
		}
		return label + " " + target
	})
	text = address.ReplaceAllStringFunc(text, func(found string) string {
		link := strings.TrimRight(found, ".,;:!?*_`")
		full := link
		if strings.EqualFold(link[:min(4, len(link))], "www.") {
			full = "https://" + link
		}
		if !publicPage(full) {
			return drop(link) + found[len(link):]
		}
		return full + found[len(link):]
	})
	text = email.ReplaceAllStringFunc(text, drop)
	if len(dropped) > 0 {
		text = strings.NewReplacer("()", "", "[]", "", "<>", "").Replace(text)
		text = strings.TrimRight(step.Line(text), " :;,-–—(")
	}
	if !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		text = ""
	}
	return step.Line(text), dropped
}

// publicPage tells whether a link can lead to a page of an organisation: well-formed, of the web, no
// placeholder and no profile of a person.
func publicPage(link string) bool {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || email.MatchString(link) {
		return false
	}
	host := strings.ToLower(u.Hostname())
	labels := strings.Split(host, ".")
	if len(labels) < 2 || strings.ContainsFunc(host, func(r rune) bool {
		return r != '.' && r != '-' && !unicode.IsLetter(r) && !unicode.IsNumber(r)
	}) {
		return false
	}
	for _, l := range labels {
		if l == "" || l == "example" || l == "localhost" || l == "invalid" {
			return false
		}
	}
	return !strings.HasSuffix(host, "linkedin.com") || !strings.HasPrefix(u.Path, "/in/")
}
