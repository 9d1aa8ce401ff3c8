package multi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// list describes rows that a page shows in pieces: what is read (never bodies), and in which orders. Pages are found by the key of the
// last row, so that the thousandth costs as much as the first.
type list[T any] struct {
	from    string   // table
	parts   []string // views that share its rows, each with its own indexes; none: the table itself
	columns string
	id      sorting            // the unique end of every order
	sorts   map[string]sorting // by their name in addresses
	scan    func(pgx.Rows) (T, error)
	keys    func(row T, sort string) (value *string, id string) // as text; nil is NULL
}

// sorting is a column that an index orders descending with NULLs last, followed by the id descending.
type sorting struct {
	column, kind string // its type in SQL
	nullable     bool
}

// query is a list with conditions.
type query[T any] struct {
	*list[T]
	conditions []string
	args       []any
	looking    []lookup // alternatives: words that are still to be looked for
	many       bool     // more rows than few have the words
}

// lookup is a condition that an index answers well when few rows fit, and a walk through the list when many do. Postgres cannot tell
// which, so few are looked up first.
type lookup struct {
	condition string
	values    []any
}

// few is up to how many rows are looked up.
const few = 2000

// look decides how the words are looked for.
func (q *query[T]) look(ctx context.Context, pool *pgxpool.Pool) error {
	alternatives := q.looking
	if alternatives == nil {
		return nil
	}
	q.looking = nil
	// Each by itself: where indexes are joined by "or", Postgres evaluates the words of each row again.
	found := &query[T]{list: q.list}
	var selects, conditions []string
	var values []any
	for _, l := range alternatives {
		found.conditions = nil
		found.where(l.condition, l.values...)
		selects = append(selects, "("+found.rows(q.id.column+"::text as id", " limit "+strconv.Itoa(few+1))+")")
		conditions, values = append(conditions, l.condition), append(values, l.values...)
	}
	var ids []string
	err := without(ctx, pool, "enable_seqscan, enable_indexscan", func(tx pgx.Tx) error { // through bitmaps
		rows, err := tx.Query(ctx, "select id from ("+strings.Join(selects, " union ")+") found limit "+strconv.Itoa(few+1), found.args...)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return fmt.Errorf("look for words in %s: %w", q.from, err)
	}
	if len(ids) <= few {
		q.where(q.id.column+" = any((?::text[])::"+q.id.kind+"[])", ids)
		return nil
	}
	q.where("("+strings.Join(conditions, " or ")+")", values...)
	q.many = true
	return nil
}

// without runs f where Postgres reads tables in other ways than these. What it knows of words is a guess.
func without(ctx context.Context, pool *pgxpool.Pool, ways string, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for way := range strings.SplitSeq(ways, ", ") {
			if _, err := tx.Exec(ctx, "set local "+way+" = off"); err != nil {
				return err
			}
		}
		return f(tx)
	})
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func (l *list[T]) query() *query[T] { return &query[T]{list: l} }

// where adds a condition; each ? in it stands for a value.
func (q *query[T]) where(condition string, values ...any) {
	for _, v := range values {
		q.args = append(q.args, v)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(q.args)), 1)
	}
	q.conditions = append(q.conditions, condition)
}

// request is which page is wanted.
type request struct {
	sort          string
	desc          bool
	size          int
	after, before string // cursors
	skip          int    // rows, for addresses that count pages
}

// page is a piece of a list.
type page[T any] struct {
	rows          []T
	after, before string // cursors of the next and the previous page; "" is none
}

// errCursor is a cursor that is none of this list.
var errCursor = errors.New("not a place in this list")

// cursor is the key of a row at the edge of a page.
type cursor struct {
	Value *string `json:"v"`
	ID    string  `json:"i"`
	Sort  string  `json:"s"`
}

func (c cursor) String() string {
	data, _ := json.Marshal(c) // strings only
	return base64.RawURLEncoding.EncodeToString(data)
}

func parseCursor(text, sort string) (*cursor, error) {
	if text == "" {
		return nil, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	var c cursor
	if err != nil || len(data) > 2000 || json.Unmarshal(data, &c) != nil || c.Sort != sort || strings.ContainsRune(c.ID, 0) || c.Value != nil && strings.ContainsRune(*c.Value, 0) {
		return nil, errCursor
	}
	return &c, nil
}

// page reads a page. A cursor that is no cursor is errCursor.
func (q *query[T]) page(ctx context.Context, pool *pgxpool.Pool, r request) (page[T], error) {
	var out page[T]
	by, ok := q.sorts[r.sort]
	if !ok {
		return out, fmt.Errorf("no order %q in the list of %s", r.sort, q.from)
	}
	back := r.before != ""
	at, err := parseCursor(r.after, r.sort)
	if back {
		at, err = parseCursor(r.before, r.sort)
	}
	if err != nil {
		return out, err
	}
	if at != nil && at.Value == nil && !by.nullable {
		return out, errCursor
	}
	desc := r.desc != back // going back is going forth in the other direction
	var rows []T
	if q.many { // a few steps along the order find enough
		err = without(ctx, pool, "enable_seqscan, enable_bitmapscan", func(tx pgx.Tx) (err error) {
			rows, err = q.read(ctx, tx, by, desc, at, r.size+1, r.skip)
			return err
		})
	} else {
		rows, err = q.read(ctx, pool, by, desc, at, r.size+1, r.skip)
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && at != nil && strings.HasPrefix(pg.Code, "22") {
		return out, errCursor // a value that is none of the column
	}
	if err != nil {
		return out, err
	}
	more := len(rows) > r.size
	if more {
		rows = rows[:r.size]
	}
	if back {
		slices.Reverse(rows)
	}
	out.rows = rows
	if len(rows) == 0 {
		return out, nil
	}
	edge := func(row T) string {
		v, id := q.keys(row, r.sort)
		return cursor{v, id, r.sort}.String()
	}
	if more || back {
		out.after = edge(rows[len(rows)-1])
	}
	if (more || !back) && (at != nil || r.skip > 0) || back && more {
		out.before = edge(rows[0])
	}
	return out, nil
}

// read reads rows in one direction from a key on. Rows whose sort value is NULL come last in descending order; they are a part of their
// own, since no comparison finds them.
func (q *query[T]) read(ctx context.Context, db querier, by sorting, desc bool, at *cursor, n, skip int) ([]T, error) {
	parts := []bool{false, true} // whether the values are NULL
	if !by.nullable {
		parts = parts[:1]
	} else if !desc {
		slices.Reverse(parts)
	}
	var out []T
	begun := at == nil
	for _, null := range parts {
		inside := at != nil && (at.Value == nil) == null
		if begun = begun || inside; !begun {
			continue
		}
		part := &query[T]{list: q.list, conditions: slices.Clone(q.conditions), args: slices.Clone(q.args)}
		rows, err := part.readPart(ctx, db, by, desc, null, inside, at, n-len(out), skip)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
		if len(out) >= n || skip > 0 {
			break
		}
	}
	return out, nil
}

// sql is the query for one part of the rows, of which the key may be inside.
func (q *query[T]) sql(by sorting, desc, null, inside bool, at *cursor, n, skip int) string {
	direction, sign := "asc", ">"
	if desc {
		direction, sign = "desc", "<"
	}
	nulls := ""
	if by.nullable {
		nulls = " nulls first"
		if desc {
			nulls = " nulls last"
		}
	}
	order := by.column + " " + direction + nulls + ", " + q.id.column + " " + direction
	switch {
	case by == q.id:
		order = q.id.column + " " + direction
		if inside {
			q.where(q.id.column+" "+sign+" (?::text)::"+q.id.kind, at.ID)
		}
	case null:
		q.where(by.column + " is null")
		if inside {
			q.where(q.id.column+" "+sign+" (?::text)::"+q.id.kind, at.ID)
		}
	case inside:
		q.where("("+by.column+", "+q.id.column+") "+sign+" ((?::text)::"+by.kind+", (?::text)::"+q.id.kind+")", *at.Value, at.ID)
	case by.nullable && skip == 0:
		q.where(by.column + " is not null")
	}
	order = " order by " + order + " limit "
	return "select " + q.columns + " from (" + q.rows("*", order+strconv.Itoa(n+skip)) + ") " + q.from + order + strconv.Itoa(n) + " offset " + strconv.Itoa(skip)
}

// rows selects from each part by itself what fits, so that each finds and orders it by its own indexes.
func (q *query[T]) rows(columns, end string) string {
	parts := q.parts
	if len(parts) == 0 {
		parts = []string{q.from}
	}
	selects := make([]string, len(parts))
	for i, part := range parts {
		selects[i] = "(select " + columns + " from " + part + q.clause() + end + ")"
	}
	return strings.Join(selects, " union all ")
}

func (q *query[T]) readPart(ctx context.Context, db querier, by sorting, desc, null, inside bool, at *cursor, n, skip int) ([]T, error) {
	sql := q.sql(by, desc, null, inside, at, n, skip)
	rows, err := db.Query(ctx, sql, q.args...)
	if err != nil {
		return nil, fmt.Errorf("read the list of %s: %w", q.from, err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		row, err := q.scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read the list of %s: %w", q.from, err)
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

func (q *query[T]) clause() string {
	if len(q.conditions) == 0 {
		return ""
	}
	return " where " + strings.Join(q.conditions, " and ")
}

// count counts rows, up to a limit: more are limit + 1.
func (q *query[T]) count(ctx context.Context, pool *pgxpool.Pool, limit int) (n int, err error) {
	most := " limit " + strconv.Itoa(limit+1)
	sql := "select count(*) from (select 1 from (" + q.rows("1", most) + ") found" + most + ") counted"
	if err := pool.QueryRow(ctx, sql, q.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the list of %s: %w", q.from, err)
	}
	return n, nil
}
