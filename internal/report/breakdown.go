package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// breakdown shows the work breakdown table as an outline: the level columns become one column with
// an outline number, ids stay out. A table of another shape is shown as it is. Every cell is text.
func breakdown(src string, _ place) (content, error) {
	r := csv.NewReader(strings.NewReader(src))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = ';', -1, true
	rows, err := r.ReadAll()
	if err != nil {
		return content{}, errors.New("its table cannot be read: want CSV with semicolons")
	}
	head, rows := compact(rows)
	if len(rows) == 0 {
		return content{}, errors.New("its table has no rows")
	}
	var b strings.Builder
	b.WriteString(tableOpen + "<table class=\"dataframe\">\n<thead><tr>")
	levels := 0
	for levels < len(head) && head[levels] == fmt.Sprintf("Level %d", levels+1) {
		levels++
	}
	size := fmt.Sprintf("%d rows", len(rows))
	if levels > 0 {
		size = fmt.Sprintf("%d activities", len(rows))
		writeOutline(&b, head, rows, levels)
	} else {
		for _, h := range head {
			fmt.Fprintf(&b, "<th scope=\"col\">%s</th>", escape(h))
		}
		b.WriteString("</tr></thead>\n<tbody>\n")
		for _, row := range rows {
			b.WriteString("<tr>")
			writeCells(&b, row)
		}
	}
	b.WriteString("</tbody></table>" + tableClose)
	return content{html: b.String(), size: size}, nil
}

func writeCells(b *strings.Builder, cells []string) {
	for _, c := range cells {
		fmt.Fprintf(b, "<td>%s</td>", escape(c))
	}
	b.WriteString("</tr>\n")
}

// writeOutline writes the head and one row per activity, indented by its level.
func writeOutline(b *strings.Builder, head []string, rows [][]string, levels int) {
	more := func(row []string) (cells []string) {
		for i := levels; i < len(row); i++ {
			if head[i] != "Task ID" {
				cells = append(cells, row[i])
			}
		}
		return cells
	}
	b.WriteString("<th scope=\"col\">No.</th><th scope=\"col\">Activity</th>")
	for _, h := range more(head) {
		fmt.Fprintf(b, "<th scope=\"col\">%s</th>", escape(h))
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	count := make([]int, levels)
	for _, row := range rows {
		depth := slices.IndexFunc(row[:levels], func(c string) bool { return c != "" })
		depth = max(depth, 0)
		count[depth]++
		clear(count[depth+1:])
		var number []string
		for _, n := range count[1 : depth+1] { // level 1 is the project itself
			number = append(number, strconv.Itoa(n))
		}
		fmt.Fprintf(b, "<tr class=\"depth-%d\"><td class=\"number\">%s</td><td>%s</td>", min(depth+1, 4), strings.Join(number, "."), escape(row[depth]))
		writeCells(b, more(row))
	}
}

// compact trims the cells, makes all rows equally long, drops rows and columns without any content
// and splits the header off.
func compact(rows [][]string) (head []string, body [][]string) {
	width := 0
	for _, row := range rows {
		width = max(width, len(row))
	}
	used := make([]bool, width)
	for i, row := range rows {
		for j, cell := range row {
			row[j] = strings.TrimSpace(cell)
			used[j] = used[j] || i > 0 && row[j] != ""
		}
	}
	for i, row := range rows {
		cells := []string{}
		for j := range used {
			switch {
			case !used[j]:
			case j < len(row):
				cells = append(cells, row[j])
			default:
				cells = append(cells, "")
			}
		}
		if i == 0 {
			head = cells
		} else if strings.Join(cells, "") != "" {
			body = append(body, cells)
		}
	}
	return head, body
}
