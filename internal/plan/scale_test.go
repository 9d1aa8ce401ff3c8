package plan

import (
	"reflect"
	"testing"
)

// Ensure that a larger undertaking never gets less of anything, that one of unknown size is a medium
// one, and that an errand gets no organisation.
func TestCounts(t *testing.T) {
	t.Parallel()
	scales := []Scale{Trivial, Small, Medium, Large}
	for i := range scales[1:] {
		small, large := reflect.ValueOf(scales[i].Counts()), reflect.ValueOf(scales[i+1].Counts())
		for f := range small.NumField() {
			name := small.Type().Field(f).Name
			a, b := bounds(small.Field(f)), bounds(large.Field(f))
			if a.Min > b.Min || a.Max > b.Max || b.Min > b.Max || b.Max < 1 {
				t.Errorf("%s: %s has %v, %s %v", name, scales[i], a, scales[i+1], b)
			}
		}
	}
	for _, unknown := range []Scale{"", "huge"} {
		if unknown.Counts() != Medium.Counts() || unknown.Between(1, 2, 3, 4) != 3 {
			t.Errorf("%q is not taken for medium", unknown)
		}
	}
	if c := Trivial.Counts(); c.Bodies.Max != 1 || c.Watched.Max != 1 {
		t.Errorf("an errand has %v bodies and %v things to watch", c.Bodies, c.Watched)
	}
}

func bounds(v reflect.Value) Range {
	if v.CanInt() {
		return Range{int(v.Int()), int(v.Int())}
	}
	return v.Interface().(Range)
}

func TestRange(t *testing.T) {
	t.Parallel()
	for r, want := range map[Range]string{{1, 1}: "1 role", {3, 3}: "3 roles", {0, 1}: "0 to 1 role", {5, 8}: "5 to 8 roles"} {
		if got := r.Of("role", "roles"); got != want {
			t.Errorf("%v is %q, want %q", r, got, want)
		}
	}
}
