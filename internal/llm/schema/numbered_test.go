package schema

import "testing"

func TestNumbered(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		choices []string
		number  string
		want    string
	}{
		"the only one":     {[]string{"M1", "M2", "M12"}, "2", "M2"},
		"no such number":   {[]string{"M1", "M2"}, "3", ""},
		"two kinds of ids": {[]string{"M1", "T1"}, "1", ""},
		"a choice itself":  {[]string{"1", "M1"}, "1", ""},
		"no id":            {[]string{"2 or more"}, "2", ""},
		"no number":        {[]string{"M1"}, "M1", ""},
		"no choices":       {nil, "1", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _ := numbered(tt.choices, tt.number); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
