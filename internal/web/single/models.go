package single

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"planexe/internal/api"
	"planexe/internal/web/kit"
)

// modelsView is the page of models.
type modelsView struct {
	info    api.LLMInfo
	trouble string
	testing bool
	results map[string]api.PingEvent
	done    bool
	asked   string // the one that is tested; "" is all
}

func (u *ui) models(w http.ResponseWriter, r *http.Request) {
	v := modelsView{testing: r.URL.Query().Has("test"), asked: r.URL.Query().Get("test")}
	info, err := u.info(r.Context())
	if err != nil {
		v.trouble = workerTrouble(err)
	}
	v.info = info
	u.render(w, r, http.StatusOK, modelsPage(u.page(w, r, "Models", "/models"), v))
}

// asks are the models that a test asks.
func (v modelsView) asks(id string) bool {
	if v.asked != "" {
		return v.asked == id
	}
	for _, i := range v.info.Items {
		if i.ID == id {
			return i.Available && i.ID != "auto"
		}
	}
	return false
}

// longestTest bounds a test of all models.
const longestTest = 10 * time.Minute

// testModels streams what each model answers. It ends when the page is left, and the test with it.
func (u *ui) testModels(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), longestTest)
	defer cancel()
	v := modelsView{testing: true, asked: r.URL.Query().Get("id"), results: map[string]api.PingEvent{}}
	info, err := u.info(ctx)
	stream := kit.NewStream(w)
	show := func() bool {
		p := kit.Parts{}
		return p.Piece(ctx, "models", modelTable(v)) == nil && stream.Send(p) == nil && stream.Beat() == nil
	}
	if v.info = info; err != nil {
		v.trouble, v.done = workerTrouble(err), true
		show()
		_ = stream.End()
		return
	}
	var ids []string
	for _, i := range info.Items {
		if v.asks(i.ID) {
			ids = append(ids, i.ID)
		}
	}
	if !show() {
		return
	}
	events := make(chan api.PingEvent)
	go func() {
		defer close(events)
		if len(ids) == 0 {
			return
		}
		for e, err := range u.Worker.Ping(ctx, ids...) {
			if err != nil {
				e = api.PingEvent{Name: "worker_plan", Status: "error", Response: workerTrouble(err)}
			}
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	beat := time.NewTicker(tick)
	defer beat.Stop()
	for {
		select {
		case e, more := <-events:
			if !more {
				v.done = true
				show()
				_ = stream.End()
				return
			}
			if e.Name == "worker_plan" {
				v.trouble = e.Response
			}
			v.results[e.Name] = e
			if !show() {
				return
			}
		case <-beat.C:
			if stream.Beat() != nil {
				return
			}
		}
	}
}

// problems are the troubles that no line of the table tells.
func (v modelsView) problems() []string {
	return slices.DeleteFunc(slices.Clone(v.info.Errors), func(text string) bool {
		return slices.ContainsFunc(v.info.Items, func(i api.LLMItem) bool { return i.Problem != "" && strings.Contains(text, i.Problem) })
	})
}
