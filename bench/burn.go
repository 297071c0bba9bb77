package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/alchemi/cockpit/graph"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// callCost is what each call of leases costs: 90 and 200 tokens at a dollar a
// million.
const callCost = 290 * money.One / 1_000_000

// steady is how often calls are settled while live burn is measured.
const steady = 20 * time.Millisecond

// measureBurn tells how long it takes from a call's settlement until a client of
// the live burn has a payload with it, over a WebSocket: on the node that
// settles, and on another one.
func measureBurn(ctx context.Context, name, url string, rounds int, duration time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "cockpit-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bank{url: url, dir: dir}
	if err := b.plant(ctx); err != nil {
		return err
	}
	fmt.Printf("\n## From settlement to the screen, %s\n\n", name)
	fmt.Println("| client of | calls | payloads | p50 | p95 | p99 | most |")
	fmt.Println("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	nodes := 1
	if url != "" { // SQLite has one node
		nodes = 2
	}
	for watched := range nodes {
		var all []time.Duration
		payloads := 0
		for range rounds {
			took, n, err := b.watchBurn(ctx, nodes, watched, duration)
			if err != nil {
				return err
			}
			all, payloads = append(all, took...), payloads+n
		}
		slices.Sort(all)
		at := func(percent int) string { return short(all[min(len(all)-1, len(all)*percent/100)]) }
		fmt.Printf("| %s | %d | %d | %s | %s | %s | %s |\n", []string{"the node that settles", "another node"}[watched], len(all), payloads, at(50), at(95), at(99), at(100))
	}
	return nil
}

// watchBurn settles calls on the first node, and gives how long each took to
// reach a client of a node, and how many payloads that got.
func (b *bank) watchBurn(ctx context.Context, nodes, watched int, duration time.Duration) (took []time.Duration, payloads int, err error) {
	ctx, cancel := context.WithTimeout(ctx, duration+time.Minute)
	defer cancel()
	l, err := b.openEngines(ctx, nodes, false)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, l.close(context.WithoutCancel(ctx))) }()
	address, err := b.serveBurn(ctx, l, watched)
	if err != nil {
		return nil, 0, err
	}
	socket, err := subscribe(ctx, address, b.members[0][2])
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = socket.Close() }() // it was only read from
	before, err := nextSpent(socket)
	if err != nil {
		return nil, 0, err
	}

	var mu sync.Mutex
	var settled []time.Time
	calls, reader := make(chan error, 1), make(chan error, 1)
	in := func(end chan<- error, work func() error) { go func() { end <- work() }() }
	in(calls, func() error {
		pulse := time.NewTicker(steady)
		defer pulse.Stop()
		for start := time.Now(); time.Since(start) < duration; <-pulse.C {
			if err := l.call(ctx, 0, b.members[0]); err != nil {
				return err
			}
			mu.Lock()
			settled = append(settled, time.Now())
			mu.Unlock()
		}
		return nil
	})
	all := make(chan int, 1) // how many calls there were
	in(reader, func() error {
		want := -1
		for len(took) != want {
			spent, err := nextSpent(socket)
			if err != nil {
				return err
			}
			now := time.Now()
			payloads++
			mu.Lock()
			for len(took) < min(int((spent-before)/callCost), len(settled)) {
				took = append(took, now.Sub(settled[len(took)]))
			}
			mu.Unlock()
			select {
			case want = <-all:
			default:
			}
		}
		return nil
	})
	if err := <-calls; err != nil {
		return nil, 0, err
	}
	all <- len(settled)
	// One more, so that there is a payload after the last.
	if err := l.call(ctx, 0, b.members[0]); err != nil {
		return nil, 0, err
	}
	err = <-reader
	return took, payloads, err
}

// serveBurn serves the API of a node to an admin of the account.
func (b *bank) serveBurn(ctx context.Context, l *leases, node int) (address string, err error) {
	epochs, err := l.stores[node].WatchEpochs(ctx)
	if err != nil {
		return "", err
	}
	viewer := &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: b.account, UserID: "usr_bench", Name: "bench", Roles: []tenancy.Role{
		{Role: tenancy.Admin, Plane: tenancy.PlaneAccount, Kind: tenancy.KindAccount, ScopeID: b.account, Path: "/" + b.account + "/"}}}
	viewer.Reach = tenancy.ReachOf(b.account, viewer.Roles)
	doors, err := access.New(graph.Schema())
	if err != nil {
		return "", err
	}
	doors.Present = func(context.Context) *tenancy.Viewer { return viewer }
	api := graph.New(&graph.Resolver{Store: l.stores[node], Epochs: epochs, Access: doors, Budgets: l.engines[node], Log: slog.New(slog.DiscardHandler)})
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.ServeHTTP(w, r.WithContext(tenancy.WithViewer(r.Context(), viewer)))
	})}
	go func() { _ = server.Serve(listener) }() // until it is closed
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return "ws://" + listener.Addr().String(), nil
}

// subscribe watches a scope as its panel does.
func subscribe(ctx context.Context, address, scopeID string) (*websocket.Conn, error) {
	c, greeting, err := (&websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}).DialContext(ctx, address, nil)
	if err != nil {
		return nil, err
	}
	if err := greeting.Body.Close(); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = c.Close() })
	const query = `subscription($s: ID!) { budgetBurn(scopeId: $s, scopeIds: [$s]) { states { spent } lastMinute topSpenders { name amount } } }`
	err = errors.Join(c.WriteJSON(map[string]any{"type": "connection_init"}),
		c.WriteJSON(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": query, "variables": map[string]any{"s": scopeID}}}))
	return c, err
}

// nextSpent reads payloads until one has a state.
func nextSpent(c *websocket.Conn) (money.Nano, error) {
	for {
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := c.ReadJSON(&m); err != nil {
			return 0, err
		}
		switch m.Type {
		case "connection_ack", "ping", "pong":
			continue
		case "next":
		default:
			return 0, fmt.Errorf("the subscription ended: %s %s", m.Type, m.Payload)
		}
		var p struct {
			Data struct {
				BudgetBurn struct{ States []struct{ Spent string } }
			}
		}
		if err := json.Unmarshal(m.Payload, &p); err != nil {
			return 0, err
		}
		if states := p.Data.BudgetBurn.States; len(states) > 0 {
			return money.Parse(states[0].Spent)
		}
	}
}
