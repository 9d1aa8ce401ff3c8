package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strconv"
	"strings"
)

// Pipeline is what one execution of the pipeline can be told by the environment.
type Pipeline struct {
	RunDir        string   `envconfig:"PLANEXE_RUN_DIR" default:"run" desc:"directory that holds the run directories"`
	LogLevel      LogLevel `envconfig:"PLANEXE_LOG_LEVEL" default:"INFO" desc:"DEBUG, INFO, WARNING, ERROR or CRITICAL"`
	Concurrency   int      `envconfig:"PLANEXE_LLM_CONCURRENCY" default:"8" desc:"model calls in flight per run"`
	MaxCost       *float64 `envconfig:"PLANEXE_MAX_COST" desc:"USD that a run may cost; unset is no limit"`
	Redline       Redline  `envconfig:"PLANEXE_REDLINE" default:"stop" desc:"when the gate refuses the prompt: stop, or warn and go on"`
	TrackActivity bool     `envconfig:"PLANEXE_TRACK_ACTIVITY" default:"false" desc:"also write track_activity.jsonl"`
	Model         string   `envconfig:"LLM_MODEL" default:"auto" desc:"id of an entry in llm_config.json, or auto"`
	LLMConfig     Secret   `envconfig:"PLANEXE_LLM_CONFIG_JSON" desc:"text of an llm_config.json, for places where no file can be put; a file wins over it"` // read by LoadLLM
	Speed         Speed    `envconfig:"SPEED_VS_DETAIL" default:"all_details_but_slow" desc:"all_details_but_slow or fast_but_skip_details"`
}

// Level returns what is logged.
func (p *Pipeline) Level() LogLevel { return p.LogLevel }

// Validate checks the ranges.
func (p *Pipeline) Validate() error {
	var errs []error
	if p.Concurrency < 1 || p.Concurrency > 256 {
		errs = append(errs, wrong("PLANEXE_LLM_CONCURRENCY", strconv.Itoa(p.Concurrency), "allowed is 1 to 256"))
	}
	if c := p.MaxCost; c != nil && !(*c > 0 && *c <= math.MaxFloat64) {
		errs = append(errs, wrong("PLANEXE_MAX_COST", fmt.Sprint(*c), "allowed is an amount of USD above 0, such as 0.50; unset it for no limit"))
	}
	return errors.Join(errs...)
}

// Redline is what happens when the gate refuses a prompt.
type Redline string

// The values of PLANEXE_REDLINE.
const (
	RedlineStop Redline = "stop" // the run ends with a short report
	RedlineWarn Redline = "warn" // the run goes on and says so
)

// Decode reads the value of a variable.
func (r *Redline) Decode(value string) error { return oneOf(r, value, RedlineStop, RedlineWarn) }

// Speed is how much detail a run makes.
type Speed string

// The values of SPEED_VS_DETAIL.
const (
	AllDetails  Speed = "all_details_but_slow"
	SkipDetails Speed = "fast_but_skip_details" // same steps, loops cut to few items
)

// Decode reads the value of a variable.
func (s *Speed) Decode(value string) error { return oneOf(s, value, AllDetails, SkipDetails) }

func oneOf[T ~string](dst *T, value string, allowed ...T) error {
	var names []string
	for _, a := range allowed {
		if strings.EqualFold(strings.TrimSpace(value), string(a)) {
			*dst = a
			return nil
		}
		names = append(names, string(a))
	}
	return fmt.Errorf("allowed are %s", strings.Join(names, ", "))
}

// LogLevel is the least important level that is logged.
type LogLevel struct {
	slog.Level
	Unknown string // the name that was not understood, to be warned about; the level is INFO then
}

// Decode reads the value of a variable. It accepts every value: a mistyped level must not keep a
// service from starting.
func (l *LogLevel) Decode(value string) error {
	level, ok := map[string]slog.Level{
		"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARNING": slog.LevelWarn, "WARN": slog.LevelWarn,
		"ERROR": slog.LevelError, "CRITICAL": slog.LevelError + 4, "FATAL": slog.LevelError + 4,
	}[strings.ToUpper(strings.TrimSpace(value))]
	*l = LogLevel{Level: level}
	if !ok {
		l.Unknown = value
	}
	return nil
}

// Logger returns the log of a service in the text form. It warns of a level that was not understood.
func (l LogLevel) Logger(w io.Writer) *slog.Logger {
	log := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l.Level}))
	if l.Unknown != "" {
		log.Warn("PLANEXE_LOG_LEVEL is unknown: INFO is used", "value", l.Unknown)
	}
	return log
}
