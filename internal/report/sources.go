package report

import "planexe/internal/plan"

// Sources lists the artifacts that the report shows, the title first.
func Sources() []plan.File {
	files := []plan.File{plan.ProjectTitle}
	for _, s := range sections() {
		for _, p := range s.parts {
			files = append(files, p.file)
		}
	}
	return files
}
