package report
import ("testing";"github.com/yuin/goldmark")
func TestD(t *testing.T){ 
 _ = goldmark.New
 for _, s := range []string{"**Level**: ✅ Low\n", "**Likelihood:** Medium\n","| a | b |\n|---|---|\n| 🛑 High | 16 |\n","- **Severity:** High\n- **Likelihood:** Low (1/5)\n"} {
 c,_ := markdown(s, place{"x",3,map[string]bool{}}); t.Log(c.html)} }
