package gateway

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests  *prometheus.CounterVec
	firstByte *prometheus.HistogramVec
	overhead  prometheus.Histogram
	running   prometheus.Gauge
	charged   *prometheus.CounterVec
}

// newMetrics registers the gateway's metrics. No label takes a value that
// tenants choose.
func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cockpit_gateway_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "status"}),
		firstByte: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cockpit_gateway_first_byte_seconds", Help: "Time from the request to the first byte of a model's answer.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}, []string{"stream"}),
		overhead: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cockpit_gateway_overhead_seconds", Help: "Time that the gateway itself took of a call, before and after the upstream.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1},
		}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "cockpit_gateway_holds_open", Help: "Calls that hold money at this moment.",
		}),
		charged: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cockpit_gateway_charges_total", Help: "Holds ended, by what became of them.",
		}, []string{"kind"}),
	}
	if r != nil {
		r.MustRegister(m.requests, m.firstByte, m.overhead, m.running, m.charged)
	}
	return m
}

func (m *metrics) answered(route string, status int) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
}

func (m *metrics) first(stream bool, took time.Duration) {
	m.firstByte.WithLabelValues(strconv.FormatBool(stream)).Observe(took.Seconds())
}
