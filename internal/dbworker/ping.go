package dbworker

import (
	"fmt"
	"html"
	"strings"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/queue"
)

// ping asks the models of a task one small question each until one answers, and makes a report of
// that: a way to try the whole queue for next to no money.
func (j *job) ping(s *queue.Store) outcome {
	entries, why, err := j.w.choose(j.ctx, j.task)
	if err != nil {
		return j.early(err)
	}
	type try struct{ model, result, took string }
	var tries []try
	answered := false
	for _, e := range entries {
		began := time.Now()
		text, err := llm.Ping(j.ctx, e, 200)
		if err != nil {
			text = j.w.redact(err.Error())
		}
		tries = append(tries, try{e.ID, text, time.Since(began).Round(time.Millisecond).String()})
		if answered = err == nil; answered || j.ctx.Err() != nil {
			break
		}
	}
	if j.ctx.Err() != nil {
		return j.interrupted()
	}
	status := "No model answered"
	if answered {
		status = "A model answered"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Model test</title></head><body>\n<h1>%s</h1>\n<p>Models: %s.</p>\n", status, html.EscapeString(why))
	b.WriteString("<table border=\"1\"><tr><th>Model</th><th>Time</th><th>Answer</th></tr>\n")
	for _, t := range tries {
		fmt.Fprintf(&b, "<tr><td>%s</td><td>%s</td><td>%s</td></tr>\n", html.EscapeString(t.model), t.took, html.EscapeString(t.result))
	}
	b.WriteString("</table></body></html>\n")
	if err := s.Write(plan.Report.Name, []byte(b.String())); err != nil {
		return j.cannot(err)
	}
	o := failedFor(queue.ReasonGeneration, event.Reason{Message: "no model answered: the report says why", CanRetry: true})
	if answered {
		o = outcome{ending: queue.Ending{State: queue.Completed}}
	}
	j.collect(s, &o.ending)
	o.ending.Title = "Model test"
	return o
}
