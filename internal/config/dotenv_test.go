package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDotEnv(t *testing.T) {
	t.Parallel()
	outer := func(name string) (string, bool) {
		v, ok := map[string]string{"OUT": "outside", "B": "outside-b"}[name]
		return v, ok
	}
	tests := []struct {
		name, text string
		want       map[string]string
	}{
		{"empty lines and comments", "# c\n\n  # d\nA=1\n", map[string]string{"A": "1"}},
		{"byte order mark, CRLF, no last line end", "\ufeffA=1\r\nB=2", map[string]string{"A": "1", "B": "2"}},
		{"spaces around key and value", "  A =  x y  \n", map[string]string{"A": "x y"}},
		{"export", "export A=1\nexport\tB=2\nexporter=3", map[string]string{"A": "1", "B": "2", "exporter": "3"}},
		{"single quotes: only \\\\ and \\' are escapes", `A='a\n\'b\\' # c`, map[string]string{"A": `a\n'b\`}},
		{"double quotes with escapes", `A="a\n\t\"b\\"`, map[string]string{"A": "a\n\t\"b\\"}},
		{"quotes over lines", "A=\"one\ntwo\"\nB='x\n\ny'\nC=3", map[string]string{"A": "one\ntwo", "B": "x\n\ny", "C": "3"}},
		{"hash needs a space before it", "A=a#b # c\nB='a # b'\nC=#x\nD= # x", map[string]string{"A": "a#b", "B": "a # b", "C": "", "D": ""}},
		{"no value is dropped, empty stays", "A\nB=\nC # x", map[string]string{"B": ""}},
		{"equals sign in the value", "A=b=c", map[string]string{"A": "b=c"}},
		{"last one wins", "A=1\nA=2", map[string]string{"A": "2"}},
		{"references", "B=in\nA=${B}-${OUT}-${NO}-${NO:-d e}\nC='${B}'\nD=\"${OUT:-x}\"\nE=$B", map[string]string{
			"B": "in", "A": "in-outside--d e", "C": "in", "D": "outside", "E": "$B"}},
		{"references look up the file first, but only above", "A=${B}\nB=in\nC=${B}", map[string]string{"A": "outside-b", "B": "in", "C": "in"}},
		{"what comes in is not searched again", `X='$'` + "\nA=${X}{OUT}", map[string]string{"X": "$", "A": "${OUT}"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseDotEnv(tt.text, outer)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseDotEnvErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"bad name", "A=1\n\n1X=geheim", `line 3: "1X"`},
		{"no name", "=geheim", `line 1: ""`},
		{"open quote", "A=1\nKEY='geheim\nB=2", "line 2: the quote that opens the value of KEY is never closed"},
		{"text after the quote", `KEY="a" geheim`, "line 1: text after the closing quote of KEY"},
		{"lines of a value count", "A='\n\n'\nB-C=geheim", `line 4: "B-C"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseDotEnv(tt.text, func(string) (string, bool) { return "", false })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q in it", err, tt.want)
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("%v shows the value", err)
			}
		})
	}
}
