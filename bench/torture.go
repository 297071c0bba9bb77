package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/demo/upstream"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

const (
	tortureReplicas = 3
	tortureClients  = 48
	tortureTimeout  = 4 * time.Second
)

// ordeal is one run: replicas over one database, whose processes are killed
// while clients call one hot account and repeat what was cut off.
type ordeal struct {
	database, upstream, key string
	dirs                    [tortureReplicas]string
	mu                      sync.Mutex
	live                    [tortureReplicas]process

	kills, answered, refused, repeated, used, looks, changes, renewals atomic.Int64
	broken                                                             atomic.Pointer[string]
}

// torture kills replicas for a while, and then holds the ledger against what
// the model's provider says it billed.
func torture(ctx context.Context, server string, length time.Duration) error {
	if server == "" {
		return errors.New("-torture wants a PostgreSQL server in -database")
	}
	return inFreshDatabase(ctx, server, "cockpit_torture_", func(url string) error { return tortureOn(ctx, url, length) })
}

func tortureOn(ctx context.Context, url string, length time.Duration) (err error) {
	provider, stop, err := start(ctx, "-role", "upstream")
	if err != nil {
		return err
	}
	defer stop()
	dir, err := os.MkdirTemp("", "cockpit-torture-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o := &ordeal{database: url, upstream: provider.url}
	for i := range o.dirs {
		o.dirs[i] = filepath.Join(dir, fmt.Sprint(i))
		if err := o.begin(ctx, i); err != nil {
			return err
		}
	}
	st, err := store.Open(store.Options{URL: o.database})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	began := time.Now()
	o.torment(ctx, st, length)
	for _, p := range o.live {
		_ = p.Kill() // and nobody comes back: what they held is brought in below
	}
	return o.judge(ctx, st, time.Since(began))
}

// begin starts a replica on its directory, as after a crash.
func (o *ordeal) begin(ctx context.Context, i int) error {
	// The budget is too small for all: the last dollar is fought for.
	p, _, err := start(ctx, "-role", "gateway", "-to", o.upstream, "-database", o.database, "-data", o.dirs[i], "-key", o.key, "-limit", fmt.Sprint(int64(money.One/4)))
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.live[i], o.key = p, p.key
	return nil
}

func (o *ordeal) torment(ctx context.Context, st *store.Store, length time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() {
		for ctx.Err() == nil {
			i := rand.IntN(tortureReplicas)
			wait(ctx, 100*time.Millisecond+rand.N(700*time.Millisecond))
			o.mu.Lock()
			p := o.live[i]
			o.mu.Unlock()
			if p.Kill() == nil {
				o.kills.Add(1)
			}
			wait(ctx, rand.N(tortureTimeout*3/2)) // sometimes others give it up first
			if err := o.begin(context.WithoutCancel(ctx), i); err != nil {
				o.breach("a replica didn't come back: %v", err)
			}
		}
	})
	all.Go(func() {
		for ctx.Err() == nil {
			o.look(ctx, st)
			wait(ctx, 20*time.Millisecond)
		}
	})
	all.Go(func() { o.reallot(ctx, st) })
	for range tortureClients {
		all.Go(func() {
			for ctx.Err() == nil {
				o.insist(ctx)
			}
		})
	}
	all.Wait()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (o *ordeal) breach(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	o.broken.CompareAndSwap(nil, &text)
}

// insist makes one call, again under its key wherever the answer was lost.
func (o *ordeal) insist(ctx context.Context) {
	session := id.New(id.Session)
	body := fmt.Sprintf(`{"model":"demo-small","messages":[{"role":"user","content":"hi"}],"max_tokens":%d,"stream":%t,"x_demo":{"tokens":%d,"latency_ms":%d}}`,
		50+rand.IntN(400), rand.IntN(2) == 0, rand.IntN(400), rand.IntN(60))
	for range 20 {
		o.mu.Lock()
		to := o.live[rand.IntN(tortureReplicas)].url
		o.mu.Unlock()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, to+"/v1/chat/completions", strings.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Authorization", "Bearer "+o.key)
		req.Header.Set("Idempotency-Key", session)
		req.Header.Set("X-Cockpit-Session", session)
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		if err == nil {
			switch res.StatusCode {
			case http.StatusOK:
				o.answered.Add(1)
				return
			case http.StatusPaymentRequired:
				o.refused.Add(1)
				wait(ctx, 100*time.Millisecond)
				return
			case http.StatusConflict:
				o.used.Add(1)
			}
		}
		o.repeated.Add(1)
		wait(ctx, 100*time.Millisecond+rand.N(200*time.Millisecond))
		if ctx.Err() != nil {
			return
		}
	}
}

// look takes a snapshot of every counter. What is above a limit must be
// allowed as late; the database's own CHECK watches the escrow.
func (o *ordeal) look(ctx context.Context, st *store.Store) {
	rows, err := st.System().QueryContext(ctx, `SELECT c.id, c.lim + c.overflow + c.excess, c.folded + COALESCE(SUM(l.spent + l.held), 0), c.escrowed, c.folded + COALESCE(SUM(l.granted), 0)
		FROM budget_cycles c LEFT JOIN budget_leases l ON l.cycle_id = c.id GROUP BY c.id`)
	if err != nil {
		return
	}
	defer rows.Close()
	for rows.Next() {
		var cycle string
		var room, used, escrowed, granted int64
		if rows.Scan(&cycle, &room, &used, &escrowed, &granted) != nil {
			return
		}
		if used > room || escrowed != granted || escrowed > room {
			o.breach("cycle %s: used %d, escrowed %d, granted %d of %d", cycle, used, escrowed, granted, room)
		}
	}
	if rows.Err() == nil {
		o.looks.Add(1)
	}
}

// judge brings in what the killed replicas left, and holds the ledger against
// the provider's log.
func (o *ordeal) judge(ctx context.Context, st *store.Store, took time.Duration) error {
	time.Sleep(tortureTimeout + time.Second)
	for _, dir := range o.dirs {
		e := budget.New(st, budget.Options{Journal: filepath.Join(dir, "journal"), NodeTimeout: tortureTimeout, Log: slog.New(slog.DiscardHandler)})
		if err := e.Start(ctx); err != nil {
			return err
		}
		differences, err := e.Verify(ctx)
		if err != nil {
			return err
		}
		if len(differences) > 0 {
			o.breach("the ledger doesn't explain the counters: %v", differences)
		}
		if err := e.Close(ctx); err != nil {
			return err
		}
	}
	stats, err := o.stats(ctx)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for what, query := range map[string]string{
		"calls charged":         "SELECT count(*) FROM charges WHERE adjusts = ''",
		"of them in doubt":      "SELECT count(*) FROM charges WHERE kind = 'IN_DOUBT'",
		"late":                  "SELECT count(*) FROM charges WHERE kind = 'LATE'",
		"charged twice":         "SELECT count(*) FROM (SELECT request_id FROM charges WHERE adjusts = '' GROUP BY request_id HAVING count(*) > 1) t",
		"keys charged twice":    "SELECT count(*) FROM (SELECT session_ref FROM charges WHERE adjusts = '' GROUP BY session_ref HAVING count(*) > 1) t",
		"holds left":            "SELECT count(*) FROM holds",
		"leases left":           "SELECT count(*) FROM budget_leases",
		"limits passed":         "SELECT count(*) FROM budget_cycles WHERE folded > lim + overflow + excess",
		"limits passed as late": "SELECT count(*) FROM budget_cycles WHERE excess > 0",
	} {
		var n int
		if err := st.System().QueryRowContext(ctx, query).Scan(&n); err != nil {
			return err
		}
		counts[what] = n
	}
	lost, wrong := 0, 0
	for requestID, bill := range stats.Requests {
		var lines int
		var cost int64
		var kind string
		err := st.System().QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE adjusts = ''), COALESCE(sum(cost), 0), COALESCE(min(kind) FILTER (WHERE adjusts = ''), '') FROM charges WHERE request_id = $1`, requestID).
			Scan(&lines, &cost, &kind)
		if err != nil {
			return err
		}
		billed := int64((bill.Prompt + bill.Completion) * 1000) // a dollar a million
		switch {
		case lines != 1:
			lost++
		case kind == "SETTLED" && cost != billed, cost < billed:
			wrong++
		}
	}
	fmt.Printf("%s of %d replicas and %d clients: %d kills, %d answered, %d refused, %d repeated, %d keys found taken, %d changes of budgets, %d renewals, %d looks at the counters.\n",
		took.Round(time.Second), tortureReplicas, tortureClients, o.kills.Load(), o.answered.Load(), o.refused.Load(), o.repeated.Load(), o.used.Load(), o.changes.Load(), o.renewals.Load(), o.looks.Load())
	fmt.Printf("%d calls reached the provider; lost %d, charged otherwise than billed %d. Ledger: %v\n", len(stats.Requests), lost, wrong, counts)
	if broken := o.broken.Load(); broken != nil {
		return errors.New(*broken)
	}
	if lost+wrong+counts["charged twice"]+counts["keys charged twice"]+counts["holds left"]+counts["leases left"]+counts["limits passed"] > 0 {
		return errors.New("the ledger didn't hold")
	}
	return nil
}

func (o *ordeal) stats(ctx context.Context) (s upstream.Stats, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.upstream+"/demo/stats?requests=true", nil)
	if err != nil {
		return s, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	return s, json.NewDecoder(res.Body).Decode(&s)
}
