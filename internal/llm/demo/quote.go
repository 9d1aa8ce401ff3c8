package demo

import "planexe/internal/llm/schema"

// quote fills fields that ask for the request's own words, where anything made up would be a lie:
// with what was found in it, or with nothing. It answers only where nothing is an allowed answer.
func (f facts) quote(s *schema.Schema, name string) (value any, ok bool) {
	switch {
	case s.Kind == schema.List && s.Count != nil && s.Count.Min == 0 && s.Items.Kind == schema.String:
		switch name {
		case "places":
			return anys(f.places), true
		case "people", "demands", "forbids":
			return []any{}, true
		}
	case s.Kind == schema.String && s.Nullable:
		switch {
		case name == "budget" && len(f.amounts) > 0:
			return f.amounts[0], true
		case name == "currency" && len(f.currencies) > 0:
			return f.currencies[0], true
		case is(name, "budget", "start_date", "deadline"):
			return nil, true
		}
	case s.Kind == schema.String && name == "language":
		return "en", true // the sentence frames are English
	}
	return nil, false
}

func anys(list []string) []any {
	out := []any{}
	for _, s := range list {
		out = append(out, s)
	}
	return out
}
