package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// load is one measurement: the same request again and again, by that many
// clients at once.
type load struct {
	url, key    string
	stream      bool
	concurrency int
	// latency is what the upstream is told to wait before its first byte.
	latency  time.Duration
	duration time.Duration
}

// result is what a measurement found. Latencies are those of whole answers.
type result struct {
	calls, failed int
	// cause is an error of one of the failed calls.
	cause     error
	p50, p99  time.Duration
	first     time.Duration // median time to the first byte
	perSecond float64
}

func (l load) body() string {
	return fmt.Sprintf(`{"model":"demo-small","messages":[{"role":"user","content":"How long does this take?"}],"max_tokens":64,"stream":%t,"x_demo":{"latency_ms":%d}}`, l.stream, l.latency.Milliseconds())
}

type sample struct{ first, whole time.Duration }

func (l load) run(ctx context.Context) (result, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.concurrency, DisableCompression: true}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, l.duration+30*time.Second)
	defer cancel()

	var (
		mu      sync.Mutex
		samples []sample
		fail    error
		failed  int
		wg      sync.WaitGroup
	)
	start := time.Now()
	for range l.concurrency {
		wg.Go(func() {
			var own []sample
			for time.Since(start) < l.duration && ctx.Err() == nil {
				s, err := l.call(ctx, client)
				if err != nil {
					mu.Lock()
					failed, fail = failed+1, err
					enough := failed > 10
					mu.Unlock()
					if enough {
						break
					}
					continue
				}
				own = append(own, s)
			}
			mu.Lock()
			defer mu.Unlock()
			samples = append(samples, own...)
		})
	}
	wg.Wait()
	took := time.Since(start)
	if len(samples) == 0 {
		return result{}, errors.Join(errors.New("no call succeeded"), fail)
	}
	r := result{calls: len(samples), failed: failed, cause: fail, perSecond: float64(len(samples)) / took.Seconds()}
	slices.SortFunc(samples, func(a, b sample) int { return int(a.whole - b.whole) })
	r.p50, r.p99 = samples[len(samples)/2].whole, samples[len(samples)*99/100].whole
	slices.SortFunc(samples, func(a, b sample) int { return int(a.first - b.first) })
	r.first = samples[len(samples)/2].first
	return r, nil
}

func (l load) call(ctx context.Context, client *http.Client) (sample, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/v1/chat/completions", strings.NewReader(l.body()))
	if err != nil {
		return sample{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+l.key)
	start := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return sample{}, err
	}
	defer func() { _ = res.Body.Close() }()
	first := time.Since(start)
	text, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return sample{}, err
	case res.StatusCode != http.StatusOK:
		return sample{}, fmt.Errorf("%s: %s", res.Status, text)
	case l.stream && !strings.Contains(string(text), "data: [DONE]"):
		return sample{}, errors.New("the stream broke off")
	}
	return sample{first, time.Since(start)}, nil
}
