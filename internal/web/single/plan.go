package single

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"planexe/internal/api"
	"planexe/internal/web/kit"
)

// mostPrompt is the longest description that the worker takes, in bytes.
const mostPrompt = 32 << 10

// planView is the form for a new plan.
type planView struct {
	settings
	Prompt   string
	Nonce    string
	examples []Example
	tag      string // the examples are narrowed to it, for browsers without script
	query    string
	info     api.LLMInfo
	shared   bool              // see Options
	ahead    string            // what to know of the queue
	trouble  string            // why the worker is of no use now
	problems map[string]string // by field; "" is the whole form
	from     string            // the run whose text this is
}

func (u *ui) newPlan(w http.ResponseWriter, r *http.Request) {
	v := planView{settings: u.settings(r), query: r.URL.Query().Get("q"), tag: r.URL.Query().Get("tag")}
	if len(u.Examples) > 0 {
		v.Prompt = u.Examples[0].Prompt
	}
	if i := slices.IndexFunc(u.Examples, func(e Example) bool { return e.ID == r.URL.Query().Get("example") }); i >= 0 {
		v.Prompt = u.Examples[i].Prompt
	}
	if id := r.URL.Query().Get("from"); id != "" {
		if run, err := u.Worker.Run(r.Context(), id); err == nil && run.Prompt != "" {
			v.Prompt, v.from = run.Prompt, id
		}
	}
	u.showPlan(w, r, http.StatusOK, v)
}

func (u *ui) showPlan(w http.ResponseWriter, r *http.Request, status int, v planView) {
	v.Nonce, v.shared = nonce(), u.Shared
	if u.Ahead != nil {
		v.ahead = u.Ahead(r.Context())
	}
	v.examples = u.narrowed(v.query, v.tag)
	info, err := u.info(r.Context())
	if err != nil {
		v.trouble = workerTrouble(err)
	} else {
		v.settings = v.settings.known(info)
	}
	v.info = info
	u.render(w, r, status, planPage(u.page(w, r, "New plan", "/"), v))
}

// narrowed are the examples that hold the words and the tag.
func (u *ui) narrowed(query, tag string) []Example {
	words := strings.Fields(strings.ToLower(query))
	return slices.DeleteFunc(slices.Clone(u.Examples), func(e Example) bool {
		text := strings.ToLower(e.text())
		return tag != "" && !slices.Contains(e.Tags, tag) || slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	})
}

// text is what a search looks at.
func (e Example) text() string { return e.Title + " " + e.Prompt + " " + strings.Join(e.Tags, " ") }

// tags are those that several examples share, the most common ones first.
func (v planView) tags() []string {
	count := map[string]int{}
	var all []string
	for _, e := range v.examples {
		for _, t := range e.Tags {
			if count[t]++; count[t] == 1 {
				all = append(all, t)
			}
		}
	}
	all = slices.DeleteFunc(all, func(t string) bool { return count[t] < 3 && t != v.tag })
	slices.SortStableFunc(all, func(a, b string) int { return count[b] - count[a] })
	return all[:min(len(all), 10)]
}

// preview answers a form that is being filled in: what the text lacks, and what the plan would take.
func (u *ui) preview(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 15*time.Second)
	defer cancel()
	s, _, _ := posted(r) // an amount that is none is told when the form is sent
	estimate, err := u.Worker.Estimate(ctx, api.EstimateQuery{LLMModel: s.Model, SpeedVsDetail: s.Speed})
	known := err == nil
	var trouble, problem string
	switch {
	case known:
	case lacking(err):
		problem = "This worker does not say what a plan takes."
	case errors.As(err, new(*api.Error)):
		problem = refused(err)
	default:
		trouble = workerTrouble(err)
	}
	parts := kit.Parts{}
	err = errors.Join(
		parts.Piece(ctx, "hints", hints(look(r.PostFormValue("prompt")))),
		parts.Piece(ctx, "worker", workerNotice(trouble)),
		parts.Piece(ctx, "estimate", estimateBox(estimate, known, problem, u.Shared)),
	)
	if err == nil {
		err = kit.WriteParts(w, parts)
	}
	if err != nil {
		u.Log.Warn("a preview could not be made", "error", err)
	}
}

func (u *ui) createRun(w http.ResponseWriter, r *http.Request) {
	s, maxCost, problem := posted(r)
	text := r.PostFormValue("prompt")
	v := planView{settings: s, Prompt: text, problems: map[string]string{}, from: r.PostFormValue("from")}
	if problem != "" {
		v.problems["max_cost"] = problem
	}
	switch text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")); {
	case text == "":
		v.problems["prompt"] = "Describe what you want to do: a few sentences are enough."
	case len(text) > mostPrompt:
		v.problems["prompt"] = "This is too long: " + size(int64(len(text))) + " of text, and " + size(mostPrompt) + " is the limit. Shorten it."
	case !utf8.ValidString(text):
		v.problems["prompt"] = "This holds characters that are no text."
	}
	if len(v.problems) > 0 {
		u.showPlan(w, r, http.StatusUnprocessableEntity, v)
		return
	}
	// A model that has left the configuration since the form was shown is no reason to refuse.
	if info, err := u.info(r.Context()); err == nil {
		s = s.known(info)
	}
	key, _ := u.keys.Get(r)
	run, err := u.Worker.StartRun(r.Context(), api.StartRunRequest{
		SubmitOrRetry: api.Submit, PlanPrompt: text, LLMModel: s.Model, SpeedVsDetail: s.Speed, MaxCost: maxCost, OpenRouterAPIKey: key,
	}, r.PostFormValue("nonce"))
	var e *api.Error
	switch {
	case err == nil:
		u.remember(w, r, s)
		u.back(w, r, runPath(run.RunID), kit.Plain, strings.Join(run.Warnings, " "))
	case errors.As(err, &e) && len(e.Fields) > 0:
		for _, f := range e.Fields {
			v.problems[fieldOf(f.Field())] = sentence(f.Msg)
		}
		u.showPlan(w, r, http.StatusUnprocessableEntity, v)
	case errors.As(err, &e):
		if e.Wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(e.Wait.Seconds())))
		}
		v.problems[""] = sentence(refused(err))
		u.showPlan(w, r, e.Status, v)
	default:
		v.problems[""] = workerTrouble(err) + " Your text is kept here."
		u.showPlan(w, r, http.StatusBadGateway, v)
	}
}

// fieldOf is the form's name for a field of a request.
func fieldOf(name string) string {
	switch name {
	case "plan_prompt":
		return "prompt"
	case "llm_model":
		return "model"
	case "max_cost":
		return "max_cost"
	}
	return ""
}

// modelTroubles are the notices about models above a form.
func modelTroubles(info api.LLMInfo) []string {
	var texts []string
	down := 0
	for _, i := range info.Items {
		// The reference's worker tells no class, and calls only Ollama's models unavailable.
		if i.Class == "" && strings.Contains(i.Label, "unavailable") || strings.EqualFold(i.Class, "ollama") && !i.Available {
			down++
		}
	}
	switch info.OllamaStatus {
	case api.OllamaNotRunning:
		texts = append(texts, "Ollama is not running: "+counted(down, "model is", "models are")+" not available.")
	case api.OllamaMixed:
		texts = append(texts, "Some of the Ollama servers are not running: "+counted(down, "model is", "models are")+" not available.")
	}
	return texts
}

// costWords says what an estimate costs.
func costWords(e api.Estimate) string {
	switch {
	case e.Demo:
		return "nothing"
	case e.LocalOnly:
		return "nothing, it runs here"
	case e.Cost == nil:
		return "price not known"
	}
	return "about " + money(*e.Cost)
}

// someOf names the first few of a list.
func someOf(list []string, most int) string {
	if n := len(list) - most; n > 0 {
		return strings.Join(list[:most], ", ") + " and " + counted(n, "other", "others")
	}
	return strings.Join(list, ", ")
}
