package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Wake is something that happened in the database.
type Wake struct {
	Kind WakeKind
	Task uuid.UUID // of WakeStop and WakeProgress
}

// WakeKind is a kind of Wake.
type WakeKind string

// The kinds, which are channels of the database, and the connection itself.
const (
	WakeConnected WakeKind = ""                 // listening from now on; what was told before is not known
	WakeTask      WakeKind = "planexe_task"     // a task became pending
	WakeStop      WakeKind = "planexe_stop"     // a task's worker should look at it
	WakeProgress  WakeKind = "planexe_progress" // there is more to show of a task
)

const (
	leastReconnect = 200 * time.Millisecond
	mostReconnect  = 10 * time.Second
	pingEvery      = 30 * time.Second
)

// Listen tells f of everything on the channels until ctx is over, on a connection of its own, which
// it makes anew when it is lost. prepare, if not nil, is called on each new connection first; its
// error counts as a lost connection. f must be quick. down hears of lost connections.
func (q *Queue) Listen(ctx context.Context, prepare func(context.Context, *pgx.Conn) error, f func(Wake), down func(error), kinds ...WakeKind) {
	for pause := leastReconnect; ctx.Err() == nil; pause = min(2*pause, mostReconnect) {
		began := time.Now()
		err := q.listen(ctx, prepare, f, kinds)
		if ctx.Err() != nil {
			return
		}
		down(err)
		if time.Since(began) > time.Minute {
			pause = leastReconnect
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (q *Queue) listen(ctx context.Context, prepare func(context.Context, *pgx.Conn) error, f func(Wake), kinds []WakeKind) error {
	conn, err := pgx.ConnectConfig(ctx, q.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("connect to listen: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if prepare != nil {
		if err := prepare(ctx, conn); err != nil {
			return err
		}
	}
	for _, k := range kinds {
		if _, err := conn.Exec(ctx, "listen "+string(k)); err != nil {
			return fmt.Errorf("listen to %s: %w", k, err)
		}
	}
	f(Wake{Kind: WakeConnected})
	for {
		wait, cancel := context.WithTimeout(ctx, pingEvery)
		n, err := conn.WaitForNotification(wait)
		cancel()
		switch {
		case err == nil:
			w := Wake{Kind: WakeKind(n.Channel)}
			w.Task, _ = uuid.Parse(n.Payload) // none for WakeTask
			f(w)
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && !conn.IsClosed():
			// A connection that is cut silently would never tell.
			ping, cancel := context.WithTimeout(ctx, 10*time.Second)
			err := conn.Ping(ping)
			cancel()
			if err != nil {
				return fmt.Errorf("the listening connection is dead: %w", err)
			}
		default:
			return fmt.Errorf("listen: %w", err)
		}
	}
}
