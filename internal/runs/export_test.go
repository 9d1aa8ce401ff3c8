package runs

// Behind is closed when all entries are read that the last list knew roughly only; nil when there are none.
func (l *Library) Behind() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.behind
}
