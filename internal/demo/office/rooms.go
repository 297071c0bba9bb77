package office

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

//go:embed rooms.yaml
var roomsDocument []byte

type room struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Floor  int    `json:"floor"`
	Seats  int    `json:"seats"`
	Screen bool   `json:"screen"`
}

var allRooms = []room{
	{"alster", "Alster", 1, 4, false},
	{"elbe", "Elbe", 1, 8, true},
	{"isar", "Isar", 2, 6, true},
	{"main", "Main", 3, 12, true},
	{"spree", "Spree", 3, 20, true},
}

type booking struct {
	Date string `json:"date"`
	Hour int    `json:"hour"`
	For  string `json:"for"`
}

// diary has what is booked, for as long as the process lives.
type diary struct {
	mu     sync.Mutex
	booked map[string][]booking
}

// rooms adds the rooms' API.
func rooms(mux *http.ServeMux) {
	d := &diary{booked: map[string][]booking{}}
	mux.HandleFunc("GET "+RoomsDocument, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(roomsDocument) // fails only when the caller has gone
	})
	mux.HandleFunc("GET /office/rooms", known(d.list))
	mux.HandleFunc("GET /office/rooms/{room}/bookings", known(d.show))
	mux.HandleFunc("POST /office/rooms/{room}/bookings", known(d.book))
}

func known(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+RoomsToken {
			answer(w, http.StatusUnauthorized, map[string]string{"error": "Give the house's token."})
			return
		}
		next(w, r)
	}
}

func (d *diary) list(w http.ResponseWriter, r *http.Request) {
	seats, _ := strconv.Atoi(r.URL.Query().Get("seats")) // none: any
	answer(w, http.StatusOK, slices.DeleteFunc(slices.Clone(allRooms), func(m room) bool { return m.Seats < seats }))
}

func (d *diary) show(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	answer(w, http.StatusOK, append([]booking{}, d.booked[r.PathValue("room")]...))
}

func (d *diary) book(w http.ResponseWriter, r *http.Request) {
	var b booking
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&b); err != nil || b.Hour < 7 || b.Hour > 19 || len(b.Date) != len("2006-01-02") {
		answer(w, http.StatusBadRequest, map[string]string{"error": "Give a date such as 2026-12-01, an hour from 7 to 19, and whom it is for."})
		return
	}
	name := r.PathValue("room")
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !slices.ContainsFunc(allRooms, func(m room) bool { return m.ID == name }):
		answer(w, http.StatusNotFound, map[string]string{"error": "There is no such room."})
	case slices.ContainsFunc(d.booked[name], func(o booking) bool { return o.Date == b.Date && o.Hour == b.Hour }):
		answer(w, http.StatusConflict, map[string]string{"error": "Somebody has it at that hour."})
	case len(d.booked[name]) >= 1000:
		answer(w, http.StatusConflict, map[string]string{"error": "The diary of this room is full."})
	default:
		d.booked[name] = append(d.booked[name], b)
		answer(w, http.StatusCreated, b)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only when the caller has gone
}
