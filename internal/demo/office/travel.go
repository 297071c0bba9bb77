package office

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// TravelKeyHeader carries a person's own key of the travel desk.
	TravelKeyHeader = "X-Travel-Key"
	// TravelKeys is how every key begins; the rest tells whose it is.
	TravelKeys = "trip-"
)

type trainsInput struct {
	From string `json:"from" jsonschema:"The city that the journey begins in."`
	To   string `json:"to" jsonschema:"The city that it ends in."`
}

type noInput struct{}

var cities = []string{"Amsterdam", "Berlin", "Frankfurt", "Milan", "Paris", "Vienna", "Zurich"}

// travel is the travel desk's MCP server; without a key it answers nobody.
func travel() http.Handler {
	s := mcp.NewServer(&mcp.Implementation{Name: "acme-travel", Title: "Acme travel desk", Version: "1.1.0"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "find_trains", Title: "Find trains", Annotations: reads(),
		Description: "Lists tomorrow's trains between two cities, with times and fares of the second class."}, findTrains)
	mcp.AddTool(s, &mcp.Tool{Name: "my_trips", Title: "List my trips", Annotations: reads(),
		Description: "Lists the trips that are booked for whoever asks."}, myTrips)
	next := serve(s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if key := r.Header.Get(TravelKeyHeader); !strings.HasPrefix(key, TravelKeys) || len(key) < len(TravelKeys)+4 {
			http.Error(w, "The travel desk wants your own key in "+TravelKeyHeader+".", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func findTrains(_ context.Context, _ *mcp.CallToolRequest, in trainsInput) (*mcp.CallToolResult, any, error) {
	from, to := strings.TrimSpace(in.From), strings.TrimSpace(in.To)
	if from == "" || to == "" || strings.EqualFold(from, to) {
		return refuse("Name two different cities."), nil, nil
	}
	seed := dice(strings.ToLower(from + " " + to))
	var b strings.Builder
	for i := range uint32(3) {
		hours := 2 + seed%5
		fmt.Fprintf(&b, "%02d:%02d %s to %s, %d h %02d min, %d EUR\n", 6+4*i+seed%3, seed%4*15, from, to, hours, seed%60, 39+seed%80+11*i)
	}
	return say(b.String()), nil, nil
}

func myTrips(_ context.Context, req *mcp.CallToolRequest, _ noInput) (*mcp.CallToolResult, any, error) {
	key := ""
	if req.Extra != nil {
		key = req.Extra.Header.Get(TravelKeyHeader)
	}
	seed := dice(key)
	n := uint32(len(cities)) //nolint:gosec // seven
	home, away := cities[seed%n], cities[(seed+1+seed/n%(n-1))%n]
	return say(fmt.Sprintf("One trip: %s to %s and back, two nights, confirmed.", home, away)), nil, nil
}

// dice fall the same way for the same words.
func dice(words string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(words)) // never fails
	return h.Sum32()
}
