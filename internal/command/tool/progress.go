package tool

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"planexe/internal/event"
	"planexe/internal/run"
)

// progress shows a run: one line that moves on a terminal, a line per event elsewhere.
type progress struct {
	w      io.Writer
	width  func() int // of the terminal; nil when there is none
	redact func(string) string

	mu    sync.Mutex
	state run.State
	stop  chan struct{}
	ended chan struct{}
}

func newProgress(w io.Writer, redact func(string) string) *progress {
	p := &progress{w: w, redact: redact, stop: make(chan struct{}), ended: make(chan struct{})}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.width = func() int {
			n, _, err := term.GetSize(int(f.Fd()))
			if err != nil || n < 20 {
				return 80
			}
			return n
		}
		go p.redraw()
	} else {
		close(p.ended)
	}
	return p
}

// seen takes what happened before.
func (p *progress) seen(e event.Event) { p.state.Apply(e) }

// event takes what happens now.
func (p *progress) event(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Apply(e)
	line := p.line(e)
	if line == "" {
		return
	}
	if p.width != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	fmt.Fprintln(p.w, p.redact(line))
}

// line picks what is worth a line of its own.
func (p *progress) line(e event.Event) string {
	switch d := e.Data.(type) {
	case event.StepDone:
		if p.width != nil {
			return ""
		}
		for _, st := range p.state.Steps {
			if st.Name == d.Step {
				ended, all := p.state.Counts()
				return fmt.Sprintf("[%d/%d] %s (%s)", ended, all, st.Name, st.Ended.Sub(st.Started).Round(10*time.Millisecond))
			}
		}
	case event.StepFailed, event.StepSkipped, event.Notice:
		_, line := run.Describe(e)
		return line
	}
	return ""
}

func (p *progress) redraw() {
	defer close(p.ended)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			p.mu.Lock()
			fmt.Fprint(p.w, "\r\x1b[K")
			p.mu.Unlock()
			return
		case <-tick.C:
			p.mu.Lock()
			if len(p.state.Steps) > 0 {
				fmt.Fprintf(p.w, "\r\x1b[K%s", clip(bar(&p.state), p.width()-1))
			}
			p.mu.Unlock()
		}
	}
}

// close ends the drawing and returns the last state.
func (p *progress) close() *run.State {
	close(p.stop)
	<-p.ended
	return &p.state
}

func bar(s *run.State) string {
	const cells = 20
	full := int(s.Progress() * cells)
	ended, all := s.Counts()
	parts := []string{
		fmt.Sprintf("%s%s %3.0f %%", strings.Repeat("█", full), strings.Repeat("░", cells-full), 100*s.Progress()),
		fmt.Sprintf("%d/%d steps", ended, all), fmt.Sprintf("%d calls", s.Calls+s.Reused),
		tokens(s.Usage.Prompt+s.Usage.Completion) + " tokens", money(s),
	}
	if n := len(s.Active); n > 0 {
		parts = append(parts, fmt.Sprintf("%d asking", n))
	}
	if left := s.Left(); left > time.Second {
		parts = append(parts, "about "+left.Round(time.Second).String()+" left")
	}
	return strings.Join(parts, "  ")
}

func summary(s *run.State) string {
	notes := 0
	for _, q := range s.Quality {
		notes += len(q)
	}
	line := fmt.Sprintf("%d calls, %d answered from the log, %d requests, %s tokens, %s, %s", s.Calls, s.Reused, s.Requests,
		tokens(s.Usage.Prompt+s.Usage.Completion), money(s), s.Ended.Sub(s.Began).Round(100*time.Millisecond))
	if notes > 0 {
		line += fmt.Sprintf(", %d quality notes (see the report)", notes)
	}
	return line
}

func money(s *run.State) string {
	if s.Unpriced > 0 && s.Cost == 0 {
		return "cost unknown"
	}
	text := fmt.Sprintf("$%.4f", s.Cost)
	if s.Unpriced > 0 {
		text += " and more of unknown price"
	}
	return text
}

func tokens(n int) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%.1fM", float64(n)/1e6)
	case n >= 1000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}

func clip(s string, width int) string {
	if r := []rune(s); len(r) > width {
		return string(r[:width])
	}
	return s
}
