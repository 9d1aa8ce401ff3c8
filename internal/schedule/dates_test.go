package schedule

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// Ensure that dates are read where they are sure, and left where they are not.
func TestDates(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 25, 18, 0, 0, 0, time.FixedZone("", 3600))
	tests := map[string]string{
		"2027-02-28": "2027-02-28", "start on 2027/3/1": "2027-03-01", "2027-03": "2027-03-01 2027-03-31", "2027.03.05": "2027-03-05",
		"1 March 2027": "2027-03-01", "on March 1st, 2027": "2027-03-01", "the 1st of March 2027": "2027-03-01", "Mar 1, 2027": "2027-03-01",
		"March 2027": "2027-03-01 2027-03-31", "in March": "2027-03-01 2027-03-31", "this November": "2026-11-01 2026-11-30",
		"24 November": "2027-11-24", "25 November": "2026-11-25", "by Christmas": "", "February 2028": "2028-02-01 2028-02-29",
		"ab dem 1. März 2027": "2027-03-01", "le 3 août 2027": "2027-08-03", "1er juin": "2027-06-01", "el 5 de mayo de 2027": "2027-05-05", "31.12.2026": "2026-12-31",
		"fin 2027": "2027-01-01 2027-12-31", "Q3 2027": "2027-07-01 2027-09-30", "2027 Q4": "2027-10-01 2027-12-31", "T1 2027": "2027-01-01 2027-03-31",
		"between March and May 2027": "2027-03-01 2027-05-31", "13/4/2027": "2027-04-13", "4/13/2027": "2027-04-13", "4/4/2027": "2027-04-04",
		"3/4/2027": "", "31 February 2027": "", "2027-13-01": "", "in spring": "", "as soon as possible": "", "": "", "45 May 2027": "2027-05-01 2027-05-31",
		"within 9 months": "2027-08-25", "in 2 weeks": "2026-12-09", "innerhalb von 3 Jahren": "2029-11-25", "en 10 días": "2026-12-05", "within 0 days": "",
		"2027年3月1日まで": "2027-03-01", "2027年3月": "2027-03-01 2027-03-31", "3月1日": "2027-03-01", "6ヶ月以内": "2027-05-25", "3年以内": "2029-11-25", "2027年": "2027-01-01 2027-12-31",
		"for 300,000 EUR": "", "99999999999999999999 months": "", "des mois": "", "out of 5": "",
	}
	for words, want := range tests {
		first, last, ok := Dates(words, from)
		got := ""
		if ok {
			got = first.Format(isoDate)
			if !first.Equal(last) {
				got += last.Format(" " + isoDate)
			}
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", words, got, want)
		}
	}
}

func FuzzDates(f *testing.F) {
	for _, s := range []string{"1 March 2027", "3/4/2027", "2027年3月", "in 6 months", "q 9 2027"} {
		f.Add(s)
	}
	from := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, words string) {
		first, last, ok := Dates(words, from)
		if ok && (last.Before(first) || !slices.IsSorted([]int{1800, first.Year(), last.Year(), 12_100})) {
			t.Errorf("%q: %s to %s", words, fmt.Sprint(first), fmt.Sprint(last))
		}
	})
}
