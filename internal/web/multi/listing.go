package multi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"planexe/internal/web/kit"
)

// filter is a field that narrows a list. Its value stands in the address.
type filter struct {
	name, label string
	kind        string   // of the input: search, text, date or select
	options     []option // of a select, without the one for all
	hint        string
	looks       bool // its conditions are alternatives, and looked up first
	// add adds the condition for a value; false when the value is none.
	add func(where func(string, ...any), value string) bool
}

type option struct{ value, text string }

// column is a heading of a table; with a sort the heading is a link.
type column struct {
	text, sort string
	class      string
}

// listing is a list's page as its address asks for it. What the address says and nobody understands is left out, with a notice.
type listing struct {
	path    string
	title   string
	filters []filter
	columns []column
	values  url.Values // of the filters in force
	request
	notices []string
	total   int // up to most, one more is "more than"
	most    int
	next    string
	prev    string
	first   bool
	about   string // what would appear here, for an empty list
}

// mostCounted is up to where lists are counted exactly.
const mostCounted = 10_000

// mostPages is up to where addresses that count pages are followed.
const mostPages = 500

const usualSize = 20

// listed reads what the address of a list asks for, and adds the conditions of its filters.
func listed[T any](r *http.Request, title, usual string, q *query[T], columns []column, filters []filter) listing {
	l := listing{path: r.URL.Path, title: title, filters: filters, columns: columns, values: url.Values{}, first: true}
	asked := r.URL.Query()
	l.request = request{sort: usual, desc: true, size: usualSize}
	drop := func(name string) {
		l.notices = append(l.notices, "“"+name+"” in the address is not understood, and was left out.")
	}
	for name := range asked {
		value := strings.TrimSpace(asked.Get(name))
		if value == "" {
			continue
		}
		if len(value) > 2000 || !plain(value) {
			drop(name)
			continue
		}
		switch name {
		case "sort":
			if _, ok := q.sorts[value]; ok {
				l.sort = value
			} else {
				drop(name)
			}
		case "dir":
			l.desc = value != "asc"
		case "size":
			if n, err := strconv.Atoi(value); err == nil && slices.Contains([]int{20, 50, 100}, n) {
				l.size = n
			} else {
				drop(name)
			}
		case "after":
			l.after = value
		case "before":
			l.before = value
		case "page": // of the interface before this one
			if n, err := strconv.Atoi(value); err == nil && n >= 0 && n < mostPages {
				l.skip = n * usualSize
			} else {
				drop(name)
			}
		default:
			i := slices.IndexFunc(filters, func(f filter) bool { return f.name == name })
			where := q.where
			if i >= 0 && filters[i].looks {
				where = func(condition string, values ...any) { q.looking = append(q.looking, lookup{condition, values}) }
			}
			if i < 0 || !filters[i].add(where, value) {
				drop(name)
				continue
			}
			l.values.Set(name, value)
		}
	}
	if l.skip > 0 {
		l.after, l.before = "", ""
	}
	l.first = l.after == "" && l.before == "" && l.skip == 0
	slices.Sort(l.notices)
	return l
}

// show reads the rows of a listing. A cursor of another list begins at the first page.
func show[T any](a *app, r *http.Request, q *query[T], l *listing) ([]T, error) {
	if err := q.look(r.Context(), a.Pool); err != nil {
		return nil, err
	}
	p, err := q.page(r.Context(), a.Pool, l.request)
	if errors.Is(err, errCursor) {
		l.notices = append(l.notices, "The place in the list is not known any more: this is the first page.")
		l.after, l.before, l.first = "", "", true
		p, err = q.page(r.Context(), a.Pool, l.request)
	}
	if err != nil {
		return nil, err
	}
	if p.after != "" {
		l.next = l.with("after", p.after)
	}
	if p.before != "" {
		l.prev = l.with("before", p.before)
	}
	if l.most = mostCounted; q.many { // counting them would take longer than reading the page
		l.most, l.total = few, few+1
		return p.rows, nil
	}
	l.total, err = q.count(r.Context(), a.Pool, l.most)
	return p.rows, err
}

// address is the listing's own address with other values; the place in the list is left out.
func (l listing) address(changes ...string) string {
	v := url.Values{}
	for name, values := range l.values {
		v[name] = values
	}
	v.Set("sort", l.sort)
	if !l.desc {
		v.Set("dir", "asc")
	}
	if l.size != usualSize {
		v.Set("size", strconv.Itoa(l.size))
	}
	for i := 0; i+1 < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return l.path + "?" + v.Encode()
}

func (l listing) with(name, value string) string { return l.address(name, value) }

// sortURL is where the heading of a column leads: to its order, or the reverse of it.
func (l listing) sortURL(c column) string {
	if c.sort == l.sort && l.desc {
		return l.address("sort", c.sort, "dir", "asc")
	}
	return l.address("sort", c.sort, "dir", "")
}

func (l listing) ariaSort(c column) string {
	switch {
	case c.sort != l.sort:
		return "none"
	case l.desc:
		return "descending"
	}
	return "ascending"
}

func (l listing) totalWords(one, many string) string {
	if l.total > l.most {
		return fmt.Sprintf("more than %d,000 %s", l.most/1000, many)
	}
	if l.total == 1 {
		return "1 " + one
	}
	return strconv.Itoa(l.total) + " " + many
}

// date is a condition on a day.
func date(condition string) func(func(string, ...any), string) bool {
	return func(where func(string, ...any), value string) bool {
		d, err := time.Parse(time.DateOnly, value)
		if err != nil {
			return false
		}
		where(condition, d)
		return true
	}
}

// equal is a condition on a column that holds just the value.
func equal(column string) func(func(string, ...any), string) bool {
	return func(where func(string, ...any), value string) bool {
		where(column+" = ?", value)
		return true
	}
}

// among is a condition for one of some values.
func among(options []option, condition func(value string) string) func(func(string, ...any), string) bool {
	return func(where func(string, ...any), value string) bool {
		if !slices.ContainsFunc(options, func(o option) bool { return o.value == value }) {
			return false
		}
		where(condition(value))
		return true
	}
}

var hexStart = regexp.MustCompile(`^[0-9a-fA-F-]{8,36}$`)

// idRange returns the first and the last id that begin with some digits; false when the text is no beginning of an id.
func idRange(text string) (from, to uuid.UUID, ok bool) {
	digits := strings.ReplaceAll(text, "-", "")
	if !hexStart.MatchString(text) || len(digits) < 8 || len(digits) > 32 {
		return from, to, false
	}
	var err, err2 error
	from, err = uuid.Parse(digits + strings.Repeat("0", 32-len(digits)))
	to, err2 = uuid.Parse(digits + strings.Repeat("f", 32-len(digits)))
	return from, to, err == nil && err2 == nil
}

// likePrefix is a pattern for texts that begin with some text.
func likePrefix(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// options of filters
var (
	stateOptions = []option{
		{"pending", "Waiting"}, {"processing", "Being made"}, {"completed", "Complete"}, {"failed", "Failed"}, {"stopped", "Stopped"}, {"unknown", "Unknown"},
	}
	originOptions = []option{{"ui", "Web interface"}, {"partner", "Partner"}, {"api", "API"}, {"cli", "Command line"}, {"none", "Other program"}}
	reasonOptions = []option{
		{"partial", "Incomplete"}, {"refused", "Refused by the gate"}, {"budget", "Limit reached"}, {"generation_error", "Model failed"}, {"worker_error", "Worker crashed"},
		{"setup_error", "Could not begin"}, {"storage_error", "Could not be stored"}, {"invalid_task", "Nothing to plan"}, {"marked_by_admin", "Marked by an administrator"}, {"internal_error", "Internal error"},
	}
	eventOptions = []option{
		{"TASK_PENDING", "Waiting"}, {"TASK_PROCESSING", "Being made"}, {"TASK_COMPLETED", "Complete"}, {"TASK_FAILED", "Failed"}, {"TASK_STOPPED", "Stopped"},
		{"GENERIC_EVENT", "Other event"}, {"GENERIC_ERROR", "Error"},
	}
)

func optionText(options []option, value string) string {
	for _, o := range options {
		if o.value == value {
			return o.text
		}
	}
	return value
}

// adminPage begins a page of administrators, with the tabs between them.
func (a *app) adminPage(w http.ResponseWriter, r *http.Request, title string) adminFrame {
	f := adminFrame{Page: a.page(w, r, title)}
	for _, l := range []kit.Link{
		{Text: "Overview", URL: "/admin/"}, {Text: "Plans", URL: "/admin/taskitem/"}, {Text: "Events", URL: "/admin/eventitem/"}, {Text: "Workers", URL: "/admin/workeritem/"},
		{Text: "Users", URL: "/admin/useritem/"}, {Text: "Nonces", URL: "/admin/nonceitem/"}, {Text: "Models", URL: "/ping"},
	} {
		l.Current = r.URL.Path == l.URL || l.Text == "Plans" && strings.HasPrefix(r.URL.Path, "/admin/task/") || l.Text == "Users" && strings.HasPrefix(r.URL.Path, "/admin/user/")
		f.tabs = append(f.tabs, l)
	}
	return f
}

// adminFrame is what stands around a page of administrators.
type adminFrame struct {
	kit.Page
	tabs []kit.Link
}
