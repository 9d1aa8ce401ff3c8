package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The speeds that a task may ask for. Ping asks one model one question instead of making a plan.
const (
	SpeedAll  = "all_details_but_slow"
	SpeedFast = "fast_but_skip_details"
	SpeedPing = "ping_llm"
)

// Parameters are the keys of task_item.parameters that mean something.
type Parameters struct {
	Speed     string  // one of the Speed constants
	Model     string  // id of an entry in llm_config.json; "" is auto
	Developer bool    // the confirmation goes to the address for development
	MaxCost   float64 // USD that the plan may cost; 0 is what the operator allows
	Trace     string  // where the request stood that queued it, as the header traceparent says it; "" when nothing was traced
}

// ParseParameters reads the column. Whatever is no JSON object counts as no parameters.
func ParseParameters(text json.RawMessage) Parameters {
	var m map[string]any
	_ = json.Unmarshal(text, &m) // m stays nil
	p := Parameters{Speed: SpeedAll, Developer: on(m, "developer")}
	if on(m, "fast") {
		p.Speed = SpeedFast
	}
	for _, key := range []string{"speedvsdetail", "speed_vs_detail"} { // the last one wins
		if s, ok := m[key].(string); ok && slices.Contains([]string{SpeedAll, SpeedFast, SpeedPing}, strings.TrimSpace(s)) {
			p.Speed = strings.TrimSpace(s)
		}
	}
	p.Model, _ = m["llm_model"].(string)
	p.Trace, _ = m["traceparent"].(string)
	if cost, err := strconv.ParseFloat(fmt.Sprint(m["max_cost"]), 64); err == nil && cost > 0 && cost <= math.MaxFloat64 {
		p.MaxCost = cost
	}
	return p
}

// on tells whether a flag is there and is not said to be off.
func on(m map[string]any, key string) bool {
	v, ok := m[key]
	if !ok {
		return false
	}
	return !slices.Contains([]string{"false", "0", "no", "off"}, strings.ToLower(strings.TrimSpace(fmt.Sprint(v))))
}

func missing(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
