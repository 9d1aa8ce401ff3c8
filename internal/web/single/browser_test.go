package single

import (
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"planexe/internal/web/webtest"
)

var shots = flag.String("shots", "", "directory that the gallery's pictures are written to")

// Ensure nothing is wider than the page, all text can be told from what is behind it, every control has a name
// and is large enough, in every page and state, on phones and screens, in the light and in the dark.
func TestLooks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: looks at every page in every state")
	}
	b := webtest.New(t)
	b.Allowed = regexp.MustCompile(`status of (4|5)\d\d|ERR_INCOMPLETE|was called`)
	for _, s := range gallery() {
		f := sampleWorker()
		if s.set != nil {
			s.set(f)
		}
		server := b.At(newUI(t, f, func(o *Options) {
			o.Opener = &fakeOpener{}
			if s.options != nil {
				s.options(o)
			}
		}))
		b.Scheme("light")
		if s.post == "" {
			b.Open(s.path)
		} else {
			b.Open("/assets/none")
			webtest.Eval[bool](b, fmt.Sprintf(`(() => { document.body.innerHTML = '<form method="post"></form>'; const f = document.forms[0]; f.action = %q;
				for (const [k, v] of new URLSearchParams(%q)) { const i = document.createElement("input"); i.name = k; i.value = v; f.append(i); } f.submit(); return true; })()`, s.path, s.post))
			b.Until("the answer to the form", `document.querySelector("h1")`)
		}
		if strings.HasPrefix(s.name, "models, t") {
			b.Until("the end of the test", `document.body.textContent.includes("401")`)
		}
		b.LooksRight(s.name, *shots)
		b.Quiet(s.name)
		server.CloseClientConnections()
	}
}
