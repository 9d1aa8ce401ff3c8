package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"planexe/internal/api"
	"planexe/internal/config"
	"planexe/internal/event"
	"planexe/internal/run"
	"planexe/internal/runs"
)

// mostPrompt bounds plan_prompt in bytes.
const mostPrompt = 32 << 10

type startInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"255" doc:"The same key within ten minutes gives the first answer again"`
	Body api.StartRunRequest
}

func (s *Service) startRun(ctx context.Context, in *startInput) (*answer[api.StartRunResponse], error) {
	return s.first.do(ctx, "/runs", in.Key, in.Body, func() (api.StartRunResponse, error) {
		if in.Body.SubmitOrRetry == api.Retry {
			return s.retry(ctx, in.Body)
		}
		return s.submit(ctx, in.Body)
	})
}

func (s *Service) submit(ctx context.Context, r api.StartRunRequest) (api.StartRunResponse, error) {
	if len(r.PlanPrompt) > mostPrompt {
		return api.StartRunResponse{}, invalid("plan_prompt", "string_too_long", "must have at most %d bytes of UTF-8", mostPrompt)
	}
	prompt, err := run.CheckPrompt(r.PlanPrompt)
	if err != nil {
		return api.StartRunResponse{}, invalid("plan_prompt", "value_error", "%v", err)
	}
	asked, warnings, err := s.asked(ctx, r.LLMModel, r.SpeedVsDetail, r.MaxCost, r.OpenRouterAPIKey)
	if err != nil {
		return api.StartRunResponse{}, err
	}
	id, err := s.manager.Submit(ctx, prompt, r.UseUUIDAsRunID, asked, r.OpenRouterAPIKey)
	if err != nil {
		return api.StartRunResponse{}, s.failed(err, id, "cannot create the run directory")
	}
	s.log.Info("run submitted", "run_id", id, "model", asked.Model, "speed", asked.Speed)
	return s.started(id, warnings), nil
}

func (s *Service) retry(ctx context.Context, r api.StartRunRequest) (api.StartRunResponse, error) {
	if r.RunID == "" {
		return api.StartRunResponse{}, fail(http.StatusBadRequest, "retry needs a run_id")
	}
	if _, err := s.library.Find(r.RunID); err != nil {
		return api.StartRunResponse{}, s.failed(err, r.RunID, "look for the run")
	}
	asked, warnings, err := s.asked(ctx, r.LLMModel, r.SpeedVsDetail, r.MaxCost, r.OpenRouterAPIKey)
	if err != nil {
		return api.StartRunResponse{}, err
	}
	if prompt, err := s.library.Prompt(r.RunID); err == nil && strings.TrimSpace(r.PlanPrompt) != strings.TrimSpace(prompt) {
		warnings = append(warnings, "plan_prompt is ignored on retry: the run keeps its text. Edit 001-2-plan.txt to change it")
	}
	return s.resume(r.RunID, asked, r.OpenRouterAPIKey, warnings)
}

func (s *Service) resume(id string, asked event.RunQueued, key string, warnings []string) (api.StartRunResponse, error) {
	if err := s.manager.Resume(id, asked, key); err != nil {
		return api.StartRunResponse{}, s.failed(err, id, "cannot go on with the run")
	}
	s.log.Info("run resumed", "run_id", id, "model", asked.Model, "speed", asked.Speed, "from", asked.From, "only", strings.Join(asked.Only, " "))
	return s.started(id, warnings), nil
}

func (s *Service) started(id string, warnings []string) api.StartRunResponse {
	if warnings == nil {
		warnings = []string{}
	}
	return api.StartRunResponse{RunID: id, RunDir: s.dir(id), DisplayRunDir: s.library.Display(id), PID: os.Getpid(), Status: "running", Warnings: warnings}
}

// asked checks what a run is to be made with.
func (s *Service) asked(ctx context.Context, model, speed string, most float64, key string) (asked event.RunQueued, warnings []string, err error) {
	asked = event.RunQueued{Model: model, Speed: speed, MaxCost: most}
	if strings.TrimSpace(model) == "" {
		asked.Model = config.Auto
	}
	if speed == "" {
		asked.Speed = string(s.settings.Speed)
	}
	if mode, _ := run.Mode(asked.Speed); mode != api.AllDetails && mode != api.Fast {
		return asked, nil, invalid("speed_vs_detail", "literal_error", "must be %s or %s", api.AllDetails, api.Fast)
	}
	if limit := s.settings.MaxCost; limit != nil && (most == 0 || most > *limit) {
		asked.MaxCost = *limit
		if most > *limit {
			warnings = append(warnings, "max_cost is lowered to the limit of the service, PLANEXE_MAX_COST")
		}
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) || r == ' ' }) {
		return asked, nil, invalid("openrouter_api_key", "value_error", "holds characters that no key has")
	}
	return asked, warnings, s.checkModel(ctx, asked.Model, key)
}

type rerunInput struct {
	RunInput
	Key  string `header:"Idempotency-Key" maxLength:"255" doc:"The same key within ten minutes gives the first answer again"`
	Body *api.RerunRequest
}

func (s *Service) rerun(ctx context.Context, in *rerunInput) (*answer[api.StartRunResponse], error) {
	r := api.RerunRequest{}
	if in.Body != nil {
		r = *in.Body
	}
	return s.first.do(ctx, "/runs/"+in.ID+"/rerun", in.Key, r, func() (api.StartRunResponse, error) {
		if _, err := s.library.Summary(in.ID); err != nil {
			return api.StartRunResponse{}, s.failed(err, in.ID, "look for the run")
		}
		for field, step := range map[string]string{"from": r.From, "only": r.Only} {
			if _, ok := s.graph.Step(step); step != "" && !ok {
				return api.StartRunResponse{}, invalid(field, "value_error", "there is no step %q", clip(step))
			}
		}
		if r.From != "" && r.Only != "" {
			return api.StartRunResponse{}, invalid("only", "value_error", "cannot stand beside from")
		}
		before, err := s.manager.View(in.ID)
		if err != nil {
			return api.StartRunResponse{}, s.failed(err, in.ID, "read the run")
		}
		if r.LLMModel == "" {
			r.LLMModel = before.Asked.Model
		}
		if r.SpeedVsDetail == "" {
			r.SpeedVsDetail = before.State.Run.Speed
		}
		if r.MaxCost == 0 {
			r.MaxCost = before.Asked.MaxCost
		}
		asked, warnings, err := s.asked(ctx, r.LLMModel, r.SpeedVsDetail, r.MaxCost, r.OpenRouterAPIKey)
		if err != nil {
			return api.StartRunResponse{}, err
		}
		asked.From = r.From
		if r.Only != "" {
			asked.Only = []string{r.Only}
		}
		return s.resume(in.ID, asked, r.OpenRouterAPIKey, warnings)
	})
}

func (s *Service) stopRun(_ context.Context, in *RunInput) (*answer[api.StopRunResponse], error) {
	if _, err := s.library.Path(in.ID); err != nil {
		return nil, s.failed(err, in.ID, "")
	}
	stopped, err := s.manager.Stop(in.ID)
	if errors.Is(err, runs.ErrNotFound) {
		return nil, fail(http.StatusNotFound, "run not found: %s", in.ID)
	}
	if err != nil {
		return nil, s.failed(err, in.ID, "stop the run")
	}
	out := api.StopRunResponse{RunID: in.ID, Stopped: stopped, Message: "The run had ended before.", Returncode: s.manager.Live(in.ID).Code}
	if stopped {
		out.Message = "Stop requested."
		s.log.Info("stop requested", "run_id", in.ID)
	}
	return &answer[api.StopRunResponse]{out}, nil
}

func (s *Service) deleteRun(_ context.Context, in *RunInput) (*struct{}, error) {
	if err := s.manager.Delete(in.ID); err != nil {
		return nil, s.failed(err, in.ID, "cannot delete the run")
	}
	s.log.Info("run deleted", "run_id", in.ID)
	return nil, nil
}

// firsts remembers the answers to requests that came with a key, so that a caller who did not hear
// an answer can ask again without a second run.
type firsts struct {
	mu   sync.Mutex
	kept []*first // oldest first
}

type first struct {
	key    string
	body   [sha256.Size]byte
	at     time.Time
	done   chan struct{} // closed when answer is set
	answer api.StartRunResponse
	err    error
}

const (
	keyLife  = 10 * time.Minute
	mostKeys = 10_000
)

// do answers a request, or gives the answer of the first one with the same key again. Failures are
// not remembered.
func (f *firsts) do(ctx context.Context, path, key string, body any, serve func() (api.StartRunResponse, error)) (*answer[api.StartRunResponse], error) {
	if key == "" {
		out, err := serve()
		return &answer[api.StartRunResponse]{out}, err
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	mine := &first{key: path + " " + key, body: sha256.Sum256(text), at: time.Now(), done: make(chan struct{})}
	earlier := f.claim(mine)
	if earlier == nil {
		mine.err = fail(http.StatusInternalServerError, "the first request with this key failed") // should it panic
		defer func() {
			if mine.err != nil {
				f.forget(mine)
			}
			close(mine.done)
		}()
		mine.answer, mine.err = serve()
		return &answer[api.StartRunResponse]{mine.answer}, mine.err
	}
	if earlier.body != mine.body {
		return nil, &failure{status: http.StatusUnprocessableEntity, fields: []api.FieldError{
			{Type: "value_error", Loc: []any{"header", "Idempotency-Key"}, Msg: "was used with another body"},
		}}
	}
	select {
	case <-earlier.done:
		return &answer[api.StartRunResponse]{earlier.answer}, earlier.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// claim returns the request that has the key already, nil when this is the first.
func (f *firsts) claim(mine *first) *first {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept = slices.DeleteFunc(f.kept, func(x *first) bool { return mine.at.Sub(x.at) > keyLife })
	if i := slices.IndexFunc(f.kept, func(x *first) bool { return x.key == mine.key }); i >= 0 {
		return f.kept[i]
	}
	if len(f.kept) >= mostKeys {
		f.kept = slices.Delete(f.kept, 0, 1)
	}
	f.kept = append(f.kept, mine)
	return nil
}

func (f *firsts) forget(mine *first) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept = slices.DeleteFunc(f.kept, func(x *first) bool { return x == mine })
}
