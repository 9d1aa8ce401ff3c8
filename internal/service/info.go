package service

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"planexe/internal/api"
	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/llm/models"
)

const (
	infoLife   = 15 * time.Second // of a look at all models
	checkLimit = 5 * time.Second  // for one model
)

// infoCache keeps the last look at the models.
type infoCache struct {
	mu   sync.Mutex // also held while looking: others wait for the same look
	of   *llm.Entry // the first entry of the list that was looked at
	at   time.Time
	info api.LLMInfo
}

func (s *Service) llmInfo(context.Context, *nothing) (*answer[api.LLMInfo], error) {
	l, err := s.catalogue.Now()
	if err != nil {
		return &answer[api.LLMInfo]{api.LLMInfo{
			Items:        []api.LLMItem{{ID: config.Auto, Label: "Auto", Problem: "the configuration cannot be read"}},
			OllamaStatus: api.NoOllamaModels, Errors: []string{s.redact(err.Error())}, AutoModels: []string{},
		}}, nil
	}
	c := &s.info
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(l.Entries) > 0 && c.of == l.Entries[0] && time.Since(c.at) < infoLife {
		return &answer[api.LLMInfo]{c.info}, nil
	}
	c.info = s.look(s.closing, l)
	c.of, c.at = l.Entries[0], time.Now()
	return &answer[api.LLMInfo]{c.info}, nil
}

// look checks all models side by side: none costs money, each takes at most 5 s.
func (s *Service) look(ctx context.Context, l models.List) api.LLMInfo {
	problems := make([]error, len(l.Entries))
	info := api.LLMInfo{Items: []api.LLMItem{{ID: config.Auto, Label: "Auto", Available: true}}, Errors: []string{}, AutoModels: []string{}}
	var wg sync.WaitGroup
	for i, e := range l.Entries {
		if problems[i] = e.Problem; e.Problem == nil {
			wg.Go(func() { problems[i] = checkEntry(ctx, e) })
		}
	}
	wg.Go(func() {
		if chosen, why, err := l.Choose(ctx, ""); err == nil {
			info.AutoWhy = why
			for _, e := range chosen {
				info.AutoModels = append(info.AutoModels, e.ID)
			}
		}
	})
	wg.Wait()
	servers := map[string]bool{} // Ollama's, by address: whether it answers
	for i, e := range l.Entries {
		m := l.Config.Model(e.ID)
		item := api.LLMItem{ID: e.ID, Label: e.ID, Available: true, Class: e.Class, Model: e.Model, Local: e.Local, Demo: e.Demo}
		if m == nil { // built in
			item.Label = "Demo (no model)"
		} else if item.Priority = m.Priority; m.Priority != nil && *m.Priority != 0 {
			item.Label += fmt.Sprintf(" (prio: %s)", strconv.FormatFloat(*m.Priority, 'f', -1, 64))
		}
		err := problems[i]
		if e.Class == config.Ollama && e.Problem == nil {
			down := llm.ClassOf(err) == llm.ClassNetwork
			servers[e.Account] = servers[e.Account] || !down
			if strings.HasPrefix(e.Model, "hf.co/") {
				err = nil // listed in a spelling of its own, if at all
			}
		}
		if err != nil {
			item.Available, item.Problem = false, s.redact(told(err))
			item.Label += " ❌ unavailable"
			info.Errors = append(info.Errors, s.redact(trouble(e, err)))
		}
		info.Items = append(info.Items, item)
	}
	info.OllamaStatus = ollamaStatus(servers)
	return info
}

// checkEntry returns what is certain to keep an entry from being used.
func checkEntry(ctx context.Context, e *llm.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	err := e.Provider.Check(ctx)
	if ctx.Err() != nil && e.Class != config.Ollama {
		return nil // too slow to know anything
	}
	if ctx.Err() != nil {
		return &llm.Error{Class: llm.ClassNetwork, Entry: e.ID, Host: e.Host, Message: "no answer within " + checkLimit.String()}
	}
	return err
}

// told is an error with its way out.
func told(err error) string {
	var known *llm.Error
	if errors.As(err, &known) && known.Advice != "" {
		return firstLine(err.Error()) + "; " + known.Advice
	}
	return firstLine(err.Error())
}

func trouble(e *llm.Entry, err error) string {
	if e.Class == config.Ollama && llm.ClassOf(err) == llm.ClassModelUnknown {
		return fmt.Sprintf("Model %q of entry %q is not installed in Ollama.", e.Model, e.ID)
	}
	return e.ID + ": " + told(err)
}

func ollamaStatus(servers map[string]bool) string {
	up, down := 0, 0
	for _, answers := range servers {
		if answers {
			up++
		} else {
			down++
		}
	}
	switch {
	case up > 0 && down > 0:
		return api.OllamaMixed
	case up > 0:
		return api.OllamaRunning
	case down > 0:
		return api.OllamaNotRunning
	}
	return api.NoOllamaModels
}
