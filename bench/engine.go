package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// ledger is a way to hold and settle calls.
type ledger interface {
	// call is one hold and one settle on every level of the path.
	call(ctx context.Context, node int, path []string) error
	// close returns once all that was settled is in the database.
	close(ctx context.Context) error
}

// bank is a database with an account, whose members share the levels above.
type bank struct {
	url, dir, account string
	price             string     // version that calls are charged by
	members           [][]string // each path, root first, without the account
}

// tally is what a measurement of a ledger found.
type tally struct {
	perSecond float64
	p50, p99  time.Duration
	// cpu is this process's processor time for a call: what else the machine does
	// changes it least. PostgreSQL's own isn't in it.
	cpu time.Duration
}

// scene is how a ledger is used. A cold one makes each member's first call on a
// node that has just started, and no other.
type scene struct {
	members, nodes, callers int
	cold                    bool
}

func (s scene) String() string {
	kind := "hot"
	switch {
	case s.cold:
		kind = fmt.Sprintf("first calls of %d", s.members)
	case s.members > 1:
		kind = fmt.Sprintf("spread over %d", s.members)
	}
	return fmt.Sprintf("%s | %d | %d", kind, s.nodes, s.callers)
}

const spread = 100

// measureLedgers compares the engine with what one does without: a conditional
// UPDATE for each level, to hold and to settle.
func measureLedgers(ctx context.Context, name, url string, rounds int, duration time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "cockpit-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bank{url: url, dir: dir}
	if err := b.plant(ctx); err != nil {
		return err
	}
	scenes := []scene{{spread, 1, 1, true}, {1, 1, 1, false}, {1, 1, 64, false}, {spread, 1, 64, false}}
	if url != "" { // SQLite has one node
		scenes = append(scenes, scene{1, 2, 64, false}, scene{spread, 2, 64, false})
	}
	fmt.Printf("\n## Hold and settle on four levels, %s\n\n", name)
	fmt.Println("| members | nodes | callers | way | calls/s | × | p50 | p99 | processor |")
	fmt.Println("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
	ways := []struct {
		name string
		open func(context.Context, int) (ledger, error)
	}{{"an UPDATE per level", b.openNaive}, {"leases", b.openLeases}, {"leases, strict", b.openStrict}}
	for _, s := range scenes {
		found := make([][]tally, len(ways))
		for range rounds {
			for i, w := range ways {
				t, err := b.run(ctx, w.open, s, duration)
				if err != nil {
					return fmt.Errorf("%s: %w", w.name, err)
				}
				found[i] = append(found[i], t)
			}
		}
		var base float64
		for i, w := range ways {
			slices.SortFunc(found[i], func(a, b tally) int { return int(a.perSecond - b.perSecond) })
			t := found[i][rounds/2]
			if i == 0 {
				base = t.perSecond
			}
			fmt.Printf("| %s | %s | %.0f | %.1f | %s | %s | %s |\n", s, w.name, t.perSecond, t.perSecond/base, fine(t.p50), fine(t.p99), fine(t.cpu))
		}
	}
	return b.verify(ctx)
}

func fine(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
	}
	return short(d)
}

// run lets callers call for a while. What is written later than it was answered
// counts with the time that it takes.
func (b *bank) run(ctx context.Context, open func(context.Context, int) (ledger, error), s scene, duration time.Duration) (tally, error) {
	l, err := open(ctx, s.nodes)
	if err != nil {
		return tally{}, err
	}
	var n, failed atomic.Int64
	var cause atomic.Pointer[error]
	var mu sync.Mutex
	var all []time.Duration
	var callers sync.WaitGroup
	used, start := processor(), time.Now()
	for range s.callers {
		callers.Go(func() {
			var own []time.Duration
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, own...)
			}()
			for time.Since(start) < duration && ctx.Err() == nil && failed.Load() == 0 {
				i := int(n.Add(1))
				if s.cold && i > s.members {
					return
				}
				began := time.Now()
				if err := l.call(ctx, i%s.nodes, b.members[i%s.members]); err != nil {
					failed.Add(1)
					cause.Store(&err)
					break
				}
				own = append(own, time.Since(began))
			}
		})
	}
	callers.Wait()
	err = l.close(ctx)
	took, used := time.Since(start), processor()-used
	if c := cause.Load(); c != nil {
		err = errors.Join(err, *c)
	}
	if err != nil || len(all) == 0 {
		return tally{}, errors.Join(err, ctx.Err())
	}
	slices.Sort(all)
	return tally{perSecond: float64(len(all)) / took.Seconds(), p50: all[len(all)/2], p99: all[len(all)*99/100], cpu: used / time.Duration(len(all))}, nil
}

// processor is how long this process has kept processors busy.
func processor() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func (b *bank) open(ctx context.Context) (*store.Store, error) {
	st, err := store.Open(store.Options{URL: b.url, Dir: b.dir})
	if err != nil {
		return nil, err
	}
	_, err = st.Migrate(ctx)
	return st, err
}

// plant makes the account, its members and their budgets, none of which ever
// refuses.
func (b *bank) plant(ctx context.Context) (err error) {
	st, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := identity.CreatePlatform(ctx, st); err != nil {
		return err
	}
	engine := budget.New(st, budget.Options{Log: slog.New(slog.DiscardHandler)})
	if err := engine.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close(ctx)) }()
	return st.InTx(tenancy.System(ctx, "the measurement's own data"), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		a, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "ledger", Slug: "ledger", Console: true})
		if err != nil {
			return err
		}
		b.account, b.members = a.ID, nil
		root, err := tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindCONSOLE)).Only(ctx)
		if err != nil {
			return err
		}
		team, err := tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindTEAM)).Only(ctx)
		if err != nil {
			return err
		}
		above := []string{root.ID, *team.ParentID, team.ID}
		limited := slices.Clone(above)
		for i := range spread {
			u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.ID, Email: fmt.Sprintf("member%d@example.com", i), Name: "member"})
			if err != nil {
				return err
			}
			seat, err := identity.AddMember(ctx, tx, team, u)
			if err != nil {
				return err
			}
			b.members = append(b.members, append(slices.Clone(above), seat.ID))
			limited = append(limited, seat.ID)
		}
		provider, err := tx.Provider.Create().SetAccountID(a.ID).SetPlane("CONSOLE").SetName("bench").SetBaseURL("http://bench").Save(ctx)
		if err != nil {
			return err
		}
		model, err := tx.Model.Create().SetAccountID(a.ID).SetPlane("CONSOLE").SetName("bench").SetProviderID(provider.ID).Save(ctx)
		if err != nil {
			return err
		}
		price, err := tx.Price.Create().SetAccountID(a.ID).SetPlane("CONSOLE").SetModelID(model.ID).SetEffectiveFrom(st.Now()).
			SetInput(int64(money.One)).SetOutput(int64(money.One)).Save(ctx)
		if err != nil {
			return err
		}
		b.price = price.ID
		for _, scopeID := range limited {
			if _, err := engine.Set(ctx, tx, scopeID, budget.Spec{Limit: budget.Largest}); err != nil {
				return err
			}
		}
		return nil
	})
}

// verify holds the engine's counters against its ledger: a fast answer that is
// wrong is none.
func (b *bank) verify(ctx context.Context) (err error) {
	st, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	engine := budget.New(st, budget.Options{Log: slog.New(slog.DiscardHandler)})
	differ, err := engine.Verify(ctx)
	if err == nil && len(differ) > 0 {
		err = fmt.Errorf("the counters don't agree with the ledger: %v", differ)
	}
	return err
}

// leases are engines, one a node, each with a journal and connections of its
// own.
type leases struct {
	stores  []*store.Store
	engines []*budget.Engine
	account string
	price   string
}

func (b *bank) openLeases(ctx context.Context, nodes int) (ledger, error) {
	return b.openEngines(ctx, nodes, false)
}

// openStrict has no call go out before the database has its hold.
func (b *bank) openStrict(ctx context.Context, nodes int) (ledger, error) {
	return b.openEngines(ctx, nodes, true)
}

func (b *bank) openEngines(ctx context.Context, nodes int, strict bool) (*leases, error) {
	if err := b.setStrict(ctx, strict); err != nil {
		return nil, err
	}
	l := &leases{account: b.account, price: b.price}
	for i := range nodes {
		st, err := b.open(ctx)
		if err != nil {
			return nil, errors.Join(err, l.close(ctx))
		}
		e := budget.New(st, budget.Options{Journal: filepath.Join(b.dir, fmt.Sprint("journal", i)), Log: slog.New(slog.DiscardHandler)})
		l.stores, l.engines = append(l.stores, st), append(l.engines, e)
		if err := e.Start(ctx); err != nil {
			return nil, errors.Join(err, l.close(ctx))
		}
	}
	return l, nil
}

func (b *bank) setStrict(ctx context.Context, on bool) (err error) {
	st, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return st.InTx(tenancy.System(ctx, "the measurement's own data"), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return tx.Account.UpdateOneID(b.account).SetStrictDispatch(on).Exec(ctx)
	})
}

func (l *leases) call(ctx context.Context, node int, path []string) error {
	price := money.One
	c := budget.Call{
		AccountID: l.account, Plane: tenancy.Console, Path: "/" + l.account + "/" + path[0] + "/" + path[1] + "/" + path[2] + "/" + path[3] + "/",
		OrganizationID: path[1], TeamID: path[2], MemberID: path[3], ModelID: "mod_bench", ModelName: "bench", PriceID: l.price,
		Prices: budget.Prices{Input: price, Output: price}, RequestID: id.New(id.Request),
	}
	h, err := l.engines[node].Hold(ctx, c, budget.Usage{Input: 100, Output: 1000})
	if err != nil {
		return err
	}
	_, err = h.Settle(ctx, budget.Usage{Input: 90, Output: 200}, budget.Outcome{Latency: time.Second})
	return err
}

func (l *leases) close(ctx context.Context) error {
	var errs []error
	for i, e := range l.engines {
		errs = append(errs, e.Close(ctx), l.stores[i].Close())
	}
	return errors.Join(errs...)
}
