package report
import ("testing";"os";"path/filepath";"regexp";"strings";"golang.org/x/net/html")
func TestZY(t *testing.T) {
 ms, _ := filepath.Glob("/work/shared/recorded-runs/*/*.md")
 w := regexp.MustCompile(`[\pL\pN]+`)
 for _, m := range ms { b,_ := os.ReadFile(m); c, err := markdown(clean(b), here()); if err!=nil {t.Fatal(err)}
  d,_ := html.Parse(strings.NewReader(c.html)); got := strings.Join(w.FindAllString(words(d),-1)," "); src := regexp.MustCompile(`(?i)<br\s*/?>|\|[-:| ]+\|\n`).ReplaceAllString(string(b)," ")
  src = regexp.MustCompile(`(?m)^\s*\d+[.)] |&\w+;|\]\(\S+\)`).ReplaceAllString(src," ")
  want := strings.Join(w.FindAllString(src,-1)," ")
  if got != want { i:=0; for i<len(got)&&i<len(want)&&got[i]==want[i] {i++}; lo:=max(0,i-60); t.Errorf("%s\n got %q\nwant %q", filepath.Base(m), got[lo:min(len(got),i+60)], want[lo:min(len(want),i+60)]) } }
}
