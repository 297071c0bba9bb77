package office_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/demo/office"
)

type keyed struct{ key string }

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set(office.TravelKeyHeader, k.key)
	return http.DefaultTransport.RoundTrip(r)
}

func dial(t *testing.T, address, key string) (*mcp.ClientSession, error) {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	return client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: address, HTTPClient: &http.Client{Transport: keyed{key}}, DisableStandaloneSSE: true}, nil)
}

func TestToolsAnswerAlike(t *testing.T) {
	t.Parallel()
	house := httptest.NewServer(office.Handler())
	t.Cleanup(house.Close)
	for name, c := range map[string]struct {
		server, tool string
		arguments    map[string]any
		says         string
		refuses      bool
	}{
		"search":          {office.Handbook, "search_pages", map[string]any{"query": "gifts", "limit": 1}, "gifts: Gifts and invitations.", false},
		"former editions": {office.Handbook, "search_pages", map[string]any{"query": "gifts", "archive": true}, "gifts-2024", false},
		"page":            {office.HandbookBefore, "read_page", map[string]any{"page": "leave"}, "30 days a year", false},
		"no page":         {office.Handbook, "read_page", map[string]any{"page": "nothing"}, "Search it first", true},
		"department":      {office.Handbook, "who_answers", map[string]any{"topic": "Parental leave"}, "People, people@acme.example", false},
		"miles":           {office.Handbook, "convert_units", map[string]any{"value": 10, "from": "km", "to": "mi"}, "10 km = 6.2137 mi", false},
		"fahrenheit":      {office.Handbook, "convert_units", map[string]any{"value": 100, "from": "C", "to": "F"}, "100 C = 212 F", false},
		"celsius":         {office.Handbook, "convert_units", map[string]any{"value": 32, "from": "F", "to": "C"}, "32 F = 0 C", false},
		"kilograms long":  {office.Handbook, "convert_units", map[string]any{"value": 1, "from": "kg", "to": "m"}, "measures weight", true},
		"dollars":         {office.Handbook, "convert_currency", map[string]any{"amount": 100, "from": "eur", "to": "usd"}, "100.00 EUR = 112.00 USD", false},
		"trains":          {office.Travel, "find_trains", map[string]any{"from": "Berlin", "to": "Paris"}, "Berlin to Paris", false},
		"own trips":       {office.Travel, "my_trips", map[string]any{}, "One trip: ", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := dial(t, house.URL+c.server, "trip-test-1")
			require.NoError(t, err)
			t.Cleanup(func() { _ = s.Close() })
			for range 2 {
				r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: c.tool, Arguments: c.arguments})
				require.NoError(t, err)
				require.Equal(t, c.refuses, r.IsError)
				require.Contains(t, r.Content[0].(*mcp.TextContent).Text, c.says)
			}
		})
	}
	for _, key := range []string{"", "trip-", "other-key"} {
		_, err := dial(t, house.URL+office.Travel, key)
		require.Error(t, err, key)
	}
}

func TestRoomsAreBookedOnce(t *testing.T) {
	t.Parallel()
	house := httptest.NewServer(office.Handler())
	t.Cleanup(house.Close)
	status := func(method, path, token, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, house.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	const booking = `{"date":"2026-12-01","hour":9,"for":"Legal"}`
	require.Equal(t, http.StatusOK, status(http.MethodGet, office.RoomsDocument, "", ""))
	require.Equal(t, http.StatusUnauthorized, status(http.MethodGet, "/office/rooms", "wrong", ""))
	require.Equal(t, http.StatusOK, status(http.MethodGet, "/office/rooms?seats=8", office.RoomsToken, ""))
	require.Equal(t, http.StatusCreated, status(http.MethodPost, "/office/rooms/elbe/bookings", office.RoomsToken, booking))
	require.Equal(t, http.StatusConflict, status(http.MethodPost, "/office/rooms/elbe/bookings", office.RoomsToken, booking))
	require.Equal(t, http.StatusNotFound, status(http.MethodPost, "/office/rooms/cellar/bookings", office.RoomsToken, booking))
	require.Equal(t, http.StatusBadRequest, status(http.MethodPost, "/office/rooms/elbe/bookings", office.RoomsToken, `{"hour":3}`))
}
