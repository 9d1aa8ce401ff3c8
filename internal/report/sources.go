package report

import "planexe/internal/plan"

// Sources lists the artifacts that the report shows: the title, those of the opening, then those of the
// sections.
func Sources() []plan.File {
	files := []plan.File{plan.ProjectTitle, plan.Opening.File, plan.Checks.File}
	for _, s := range sections() {
		for _, p := range s.parts {
			files = append(files, p.file)
		}
	}
	return files
}
