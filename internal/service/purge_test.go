package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/api"
	"planexe/internal/config"
	"planexe/internal/plan"
	"planexe/internal/service"
)

// A purge answers in the words of the contract and takes no dangerous input.
func TestPurgeRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{`{}`, 200, `{"status":"ok","message":"0 entries removed: older than 1.0 h, prefix PlanExe_."…`},
		{`{"max_age_hours": 24, "prefix": "PlanExe_"}`, 200, `{"status":"ok","message":"0 entries removed: older than 24.0 h, prefix PlanExe_."…`},
		{`{"max_age_hours": null, "prefix": null}`, 200, `{"status":"ok","message":"0 entries removed: older than 1.0 h, prefix PlanExe_."…`},
		{`{"max_age_hours": 0.95, "prefix": "x", "preview": true}`, 200, `{"status":"ok","message":"0 entries would be removed: older than 0.95 h, prefix x."…`},
		{``, 422, `{"detail":[{"type":"missing","loc":["body"],"msg":"field required"}]}`},
		{`{"max_age_hours": "abc"}`, 422, `{"detail":[{"type":"float_parsing","loc":["body","max_age_hours"],"msg":"must be a number"}]}`},
		{`{"max_age_hours": -1}`, 422, `{"detail":[{"type":"greater_than_equal","loc":["body","max_age_hours"],"msg":"must not be negative"}]}`},
		{`{"max_age_hours": 1e300}`, 422, ``},
		{`{"max_age_hours": 1e999}`, 422, ``},
		{`{"max_age_hours": NaN}`, 422, ``},
		{`{"prefix": ""}`, 422, `{"detail":[{"type":"string_too_short","loc":["body","prefix"],"msg":"must not be empty"}]}`},
		{`{"prefix": 5}`, 422, `{"detail":[{"type":"string_type","loc":["body","prefix"],"msg":"must be a string"}]}`},
	} {
		w.want(w.do("POST", "/purge-runs", c.body), c.status, c.want)
	}
}

// A purge takes what is old, by its newest file, and leaves what is young, live or of another name.
func TestPurge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	defer w.script.hold()()
	live := w.submit("live")
	w.in()
	hours := func(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }
	w.make("PlanExe_a", hours(0.5), plan.Prompt.Name)
	w.make("PlanExe_b", hours(1.5), plan.Prompt.Name)
	w.make("PlanExe_c", hours(1), plan.Prompt.Name)
	w.make("PlanExe_d.zip", hours(1.5))
	w.make("PlanExe_e.zip", hours(0.25))
	w.make("notes", hours(9), "a.txt")
	w.make("other.txt", hours(5))
	w.make("PlanExe_grown", hours(9), plan.Prompt.Name, "sub/deep.txt")
	_ = os.Chtimes(filepath.Join(w.base, "PlanExe_grown", "sub", "deep.txt"), time.Now(), time.Now())
	age := 0.95
	for _, preview := range []bool{true, false} {
		got, err := w.c.Purge(t.Context(), api.PurgeRunsRequest{MaxAgeHours: &age, Preview: preview})
		if err != nil || got.Deleted != 3 || got.SkippedRecent != 4 || got.SkippedPrefix != 2 || got.Errors != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	for name, stays := range map[string]bool{
		"PlanExe_a": true, "PlanExe_b": false, "PlanExe_c": false, "PlanExe_d.zip": false, "PlanExe_e.zip": true, "notes": true, "other.txt": true, "PlanExe_grown": true, live: true,
	} {
		if _, err := os.Stat(filepath.Join(w.base, name)); (err == nil) != stays {
			t.Errorf("%s: %v", name, err)
		}
	}
	age = 0
	if got, err := w.c.Purge(t.Context(), api.PurgeRunsRequest{MaxAgeHours: &age}); err != nil || got.SkippedActive+got.SkippedRecent == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if st := w.status(live); !st.Running || !st.RunDirExists {
		t.Error("a live run was purged")
	}
}

// The scheduler purges at once, then after every pause, and outlives a purge that fails.
func TestPurgeScheduler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Time begins in the year 2000 here, and files are younger: the age is as good as none.
		w := newQuietWorld(t, demoOnly, func(o *service.Options) {
			o.Settings.PurgeEnabled, o.Settings.PurgeAge, o.Settings.PurgeInterval = true, 1, config.Seconds(time.Hour)
		})
		w.t = t
		old := func(name string) bool {
			_, err := os.Stat(filepath.Join(w.base, name))
			return err == nil
		}
		synctest.Wait()
		w.make("PlanExe_one", 2*time.Hour)
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		if old("PlanExe_one") {
			t.Error("the first pause is over, and nothing was purged")
		}
		if err := os.Rename(w.base, w.base+"-away"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if err := os.Rename(w.base+"-away", w.base); err != nil || !strings.Contains(w.log.String(), "purge failed") {
			t.Errorf("%v, %s", err, w.log)
		}
		w.make("PlanExe_two", 2*time.Hour)
		time.Sleep(time.Hour)
		synctest.Wait()
		if old("PlanExe_two") {
			t.Error("the scheduler has died")
		}
	})
}
