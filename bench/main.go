// Command bench measures Cockpit against what one would do without it, all in
// one run and in turns: the budget engine against a conditional UPDATE for each
// budget of a call; and the gateway against the demo upstream itself and a bare
// reverse proxy of the standard library. It also measures live burn: from a
// call's settlement until a client has it. It does so on SQLite, and on
// PostgreSQL where it is told of a server, and prints tables in Markdown. Start
// it with make bench.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/demo/upstream"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	role := flag.String("role", "", "internal: upstream, proxy or gateway")
	to := flag.String("to", "", "internal: address of the upstream")
	database := flag.String("database", "", "PostgreSQL server to measure on too, in a database of its own")
	only := flag.String("only", "", "engine, gateway or burn: measure that alone")
	data := flag.String("data", "", "internal: directory of the gateway's journal")
	key := flag.String("key", "", "internal: key that was planted already")
	limit := flag.Int64("limit", 0, "internal: limit of the team, in nano-USD")
	torment := flag.Duration("torture", 0, "instead of measuring, kill replicas over the PostgreSQL server named by -database for that long, and check every charge")
	rounds := flag.Int("rounds", 3, "how often each measurement is made; the median counts")
	duration := flag.Duration("duration", 3*time.Second, "length of one measurement")
	flag.Parse()
	if *rounds < 1 || *duration < 100*time.Millisecond || *duration > time.Minute {
		return errors.New("rounds must be at least 1, duration between 100ms and 1m")
	}
	if *role != "" {
		ctx = untilStdinEnds(ctx)
	}
	switch *role {
	case "upstream":
		return serve(ctx, upstream.Handler(), "")
	case "proxy":
		target, err := url.Parse(*to)
		if err != nil {
			return err
		}
		return serve(ctx, bareProxy(target), "")
	case "gateway":
		server.TuneMemory()
		if *data != "" {
			return serveGateway(ctx, *to, *database, replica{dir: *data, key: *key, limit: money.Nano(*limit), timeout: tortureTimeout})
		}
		return serveAlone(ctx, *to, *database)
	}
	if *torment > 0 {
		return torture(ctx, *database, *torment)
	}
	fmt.Printf("%s, %d CPUs shared by clients, upstream, databases and Cockpit; load of the machine before: %s. %d rounds of %s each, in turns; the median round is shown. × is the ratio to the first way.\n",
		runtime.Version(), runtime.NumCPU(), machineLoad(), *rounds, *duration)
	server.TuneMemory() // as Cockpit does, for the engine and the naive way alike
	measure := func(name, url string) error {
		for _, m := range []struct {
			what    string
			measure func(ctx context.Context, name, database string, rounds int, duration time.Duration) error
		}{{"engine", measureLedgers}, {"gateway", measureGateway}, {"burn", measureBurn}} {
			if *only != "" && *only != m.what {
				continue
			}
			if err := m.measure(ctx, name, url, *rounds, *duration); err != nil {
				return fmt.Errorf("%s: %w", m.what, err)
			}
		}
		return nil
	}
	if err := measure("SQLite", ""); err != nil {
		return err
	}
	if *database == "" {
		fmt.Println("\nNo PostgreSQL server was named by -database: it wasn't measured.")
		return nil
	}
	return inFreshDatabase(ctx, *database, "cockpit_bench_", func(url string) error { return measure("PostgreSQL", url) })
}

// machineLoad is what else runs, where the system tells.
func machineLoad() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// inFreshDatabase runs f on a database of its own, which is dropped then.
func inFreshDatabase(ctx context.Context, server, prefix string, f func(url string) error) (err error) {
	at, err := url.Parse(server)
	if err != nil {
		return err
	}
	admin, err := sql.Open("postgres", server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	name := prefix + strings.ToLower(id.New(id.Node)[4:])
	if _, err := admin.ExecContext(ctx, `CREATE DATABASE "`+name+`"`); err != nil {
		return err
	}
	defer func() {
		_, drop := admin.ExecContext(context.WithoutCancel(ctx), `DROP DATABASE "`+name+`"`)
		err = errors.Join(err, drop)
	}()
	at.Path = "/" + name
	return f(at.String())
}

// bareProxy is what a gateway could be at best: it forwards and flushes.
func bareProxy(target *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
		FlushInterval: -1,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Else the server closes the request's body under the transport when a
		// fast upstream begins to answer, which breaks some streams off.
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			panic(err)
		}
		proxy.ServeHTTP(w, r)
	})
}

// modelLatency is what a quick model takes to its first byte.
const modelLatency = 200 * time.Millisecond

// way is one way to the upstream.
type way struct{ name, url, key string }

func measureGateway(ctx context.Context, name, database string, rounds int, duration time.Duration) error {
	direct, stop, err := start(ctx, "-role", "upstream")
	if err != nil {
		return err
	}
	defer stop()
	proxy, stop, err := start(ctx, "-role", "proxy", "-to", direct.url)
	if err != nil {
		return err
	}
	defer stop()
	gateway, stop, err := start(ctx, "-role", "gateway", "-to", direct.url, "-database", database)
	if err != nil {
		return err
	}
	defer stop()
	ways := []way{{"straight to the upstream", direct.url, "none"}, {"bare reverse proxy", proxy.url, "none"}, {"gateway", gateway.url, gateway.key}}

	fmt.Printf("\n## Calls through the gateway, %s\n\n", name)
	fmt.Println("| answer | clients | way | calls/s | × | p50 | × | p99 | × | first byte p50 |")
	fmt.Println("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, stream := range []bool{false, true} {
		for _, l := range []load{{concurrency: 1}, {concurrency: 64}, {concurrency: 64, latency: modelLatency}} {
			l.stream, l.duration = stream, duration
			if err := compare(ctx, ways, l, rounds); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare measures the ways in turns, so that what else the machine does falls
// on all of them.
func compare(ctx context.Context, ways []way, l load, rounds int) error {
	results := make([][]result, len(ways))
	for round := -1; round < rounds; round++ {
		for i, w := range ways {
			m := l
			m.url, m.key = w.url, w.key
			if round < 0 {
				m.duration = 500 * time.Millisecond // to warm up
			}
			r, err := m.run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			if r.failed > 0 {
				return fmt.Errorf("%s: %d of %d calls failed: %w", w.name, r.failed, r.failed+r.calls, r.cause)
			}
			if round >= 0 {
				results[i] = append(results[i], r)
			}
		}
	}
	kind := map[bool]string{false: "JSON", true: "SSE"}[l.stream]
	if l.latency > 0 {
		kind += " after " + l.latency.String()
	}
	var base result
	for i, w := range ways {
		slices.SortFunc(results[i], func(a, b result) int { return int(a.p50 - b.p50) })
		r := results[i][len(results[i])/2]
		if i == 0 {
			base = r
		}
		fmt.Printf("| %s | %d | %s | %.0f | %.2f | %s | %.2f | %s | %.2f | %s |\n", kind, l.concurrency, w.name,
			r.perSecond, r.perSecond/base.perSecond, short(r.p50), ratio(r.p50, base.p50), short(r.p99), ratio(r.p99, base.p99), short(r.first))
	}
	return nil
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func short(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
