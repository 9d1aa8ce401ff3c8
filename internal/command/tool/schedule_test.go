package tool

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"planexe/internal/command"
)

func TestSchedule(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in, out, err string
		code         int
	}{
		"solved": {
			in: `{"activities":[{"id":"A","duration":0.1},{"id":"B","duration":0.2},{"id":"C","duration":0}],
				"dependencies":[{"from":"A","to":"B","type":"FS","lag":0},{"from":"A","to":"C"}]}`,
			out: `{"duration":0.3,"critical_path":["A","B"],"activities":[` +
				`{"id":"A","early_start":0,"early_finish":0.1,"late_start":0,"late_finish":0.1,"total_float":0,"free_float":0,"critical":true},` +
				`{"id":"B","early_start":0.1,"early_finish":0.3,"late_start":0.1,"late_finish":0.3,"total_float":0,"free_float":0,"critical":true},` +
				`{"id":"C","early_start":0.1,"early_finish":0.1,"late_start":0.3,"late_finish":0.3,"total_float":0.2,"free_float":0.2,"critical":false}]}` + "\n",
		},
		"empty": {in: `{"activities":[],"dependencies":[]}`, out: `{"duration":0,"critical_path":[],"activities":[]}` + "\n"},
		"infeasible": {
			in:  `{"activities":[{"id":"dig","duration":1},{"id":"fill","duration":1}],"dependencies":[{"from":"dig","to":"fill"},{"from":"fill","to":"dig"}]}`,
			err: `"dig", "fill" wait for each other`, code: 1,
		},
		"unknown id":      {in: `{"activities":[{"id":"A","duration":1}],"dependencies":[{"from":"A","to":"Z"}]}`, err: `there is no activity "Z"`, code: 1},
		"self-link":       {in: `{"activities":[{"id":"A","duration":1}],"dependencies":[{"from":"A","to":"A"}]}`, err: `"A" is linked to itself`, code: 1},
		"negative":        {in: `{"activities":[{"id":"A","duration":-1}]}`, err: `"A": duration -1`, code: 1},
		"no number":       {in: `{"activities":[{"id":"A","duration":NaN}]}`, err: "invalid character 'N'", code: 1},
		"beyond a number": {in: `{"activities":[{"id":"A","duration":1e999}]}`, err: "1e999", code: 1},
		"no id":           {in: `{"activities":[{"id":"A","duration":1},null]}`, err: "activity 2 has no id", code: 1},
		"text":            {in: `{"activities":[{"id":"A","duration":"3"}]}`, err: "activities.duration is of the wrong type: string", code: 1},
		"no object":       {in: `[]`, err: "the whole is of the wrong type: array", code: 1},
		"no JSON":         {in: "activities", err: "no network of activities in JSON: invalid character", code: 1},
		"nothing":         {in: ` `, err: "there is nothing in it", code: 1},
		"one end":         {in: `{"activities":[{"id":"A","duration":1}],"dependencies":[{"from":"A"}]}`, err: `dependency 1 names no "from" or no "to"`, code: 1},
		"too many digits": {in: `{"activities":[{"id":"A","duration":1e300},{"id":"B","duration":1e-300}]}`, err: "too many digits", code: 1},
		"twice":           {in: `{"activities":[{"id":"A","duration":1},{"id":"A","duration":1}]}`, err: `two activities have the id "A"`, code: 1},
		"no duration":     {in: `{"activities":[{"id":"A"}]}`, err: `"A" has no duration`, code: 1},
		"unknown field":   {in: `{"activities":[{"id":"A","duration":1,"days":2}]}`, err: `unknown field "days"`, code: 1},
		"type":            {in: `{"activities":[{"id":"A","duration":1},{"id":"B","duration":1}],"dependencies":[{"from":"A","to":"B","type":"FX"}]}`, err: `type "FX": want FS, SS, FF or SF`, code: 1},
		"no activities":   {in: `{}`, err: `no "activities"`, code: 1},
		"more":            {in: `{"activities":[]} {}`, err: "more behind", code: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			code := tools().Run([]string{"schedule", "--json", "-"}, command.Streams{In: strings.NewReader(tt.in), Out: &out, Err: &errs})
			if code != tt.code || out.String() != tt.out || !strings.Contains(errs.String(), tt.err) || tt.err == "" && errs.Len() > 0 {
				t.Errorf("exit %d\nout %s\nerr %s", code, &out, &errs)
			}
		})
	}
}

func TestScheduleFromFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "network.json")
	if err := os.WriteFile(path, []byte(`{"activities":[{"id":"A","duration":2}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := tools().Run([]string{"schedule", path}, command.Streams{Out: &out, Err: &errs}); code != 0 || !strings.Contains(out.String(), "Duration 2, critical path A") {
		t.Errorf("exit %d: %s%s", code, &out, &errs)
	}
	if code := tools().Run([]string{"schedule", path + ".no"}, command.Streams{Out: &out, Err: &errs}); code != 1 || !strings.Contains(errs.String(), "network.json.no") {
		t.Errorf("missing file: exit %d: %s", code, &errs)
	}
}
