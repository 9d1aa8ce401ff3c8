package pipeline_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/pipeline"
	"planexe/internal/slots"
)

// In virtual time, where nothing but calls takes any, a run comes close to the bound: calls that
// become ready while a slot is given away at the same instant may miss it, and nothing else costs.
func TestRunComesCloseToBound(t *testing.T) {
	t.Parallel()
	const call = time.Second
	for _, v := range []string{"C", "F"} {
		for _, limit := range []int{1, 4, 8, 16, 200} {
			t.Run(fmt.Sprint(v, limit), func(t *testing.T) {
				t.Parallel()
				g := stubGraph(t, v)
				bound := g.Bound(pipeline.Typical, limit)
				synctest.Test(t, func(t *testing.T) {
					start := time.Now()
					execute(t, g, newMemory(map[string]string{}), &stub{slots.New().Run(limit), call})
					units := int(time.Since(start) / call)
					t.Logf("%d units, bound %d", units, bound)
					if units < bound || float64(units) > 1.1*float64(bound) {
						t.Errorf("%d units, want close to %d", units, bound)
					}
				})
			})
		}
	}
}
