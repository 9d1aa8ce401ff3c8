package service

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"planexe/internal/api"
	"planexe/internal/progress"
	"planexe/internal/runs"
)

// purges remembers when the last one was.
type purges struct {
	mu   sync.Mutex
	last time.Time
}

func (p *purges) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
}

func (p *purges) lastTime() *time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return progress.Moment(p.last)
}

func (s *Service) purgeRuns(_ context.Context, in *struct{ Body api.PurgeRunsRequest }) (*answer[api.PurgeRunsResponse], error) {
	hours, prefix := s.settings.PurgeAge, s.settings.PurgePrefix
	if in.Body.MaxAgeHours != nil {
		hours = *in.Body.MaxAgeHours
	}
	if in.Body.Prefix != nil {
		prefix = *in.Body.Prefix
	}
	p, err := s.purge(hours, prefix, in.Body.Preview)
	if err != nil {
		return nil, fail(http.StatusInternalServerError, "purge failed")
	}
	what := "entries removed"
	if in.Body.Preview {
		what = "entries would be removed"
	}
	return &answer[api.PurgeRunsResponse]{api.PurgeRunsResponse{
		Status: "ok", Message: fmt.Sprintf("%d %s: older than %s h, prefix %s.", p.Deleted, what, hoursText(hours), prefix),
		Deleted: p.Deleted, DeletedBytes: p.Bytes, SkippedRecent: p.SkippedRecent, SkippedPrefix: p.SkippedPrefix,
		SkippedActive: p.SkippedActive, Errors: p.Errors,
	}}, nil
}

// hoursText writes 24 as 24.0 and 0.95 as 0.95.
func hoursText(h float64) string {
	text := fmt.Sprint(h)
	if h == float64(int64(h)) {
		text = fmt.Sprintf("%.1f", h)
	}
	return text
}

func (s *Service) purge(hours float64, prefix string, preview bool) (runs.Purged, error) {
	p, err := s.manager.Purge(prefix, time.Duration(hours*float64(time.Hour)), preview)
	if err != nil {
		s.log.Error("purge failed", "error", err)
		return p, err
	}
	if !preview {
		s.purges.done()
		s.log.Info("purged", "older_than_hours", hours, "prefix", prefix, "deleted", p.Deleted, "bytes", p.Bytes, "skipped_recent", p.SkippedRecent,
			"skipped_prefix", p.SkippedPrefix, "skipped_active", p.SkippedActive, "errors", p.Errors)
	}
	return p, nil
}

// purgeRegularly purges now and after every pause, until the service is shut down.
func (s *Service) purgeRegularly() {
	for {
		s.purgeSafely()
		select {
		case <-time.After(s.settings.PurgeInterval.Duration()):
		case <-s.closing.Done():
			return
		}
	}
}

// purgeSafely: a panic in one purge must not be the end of all later ones.
func (s *Service) purgeSafely() {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic in a purge", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	_, _ = s.purge(s.settings.PurgeAge, s.settings.PurgePrefix, false) // it is logged; the next one may go well
}
