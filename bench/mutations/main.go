// Command mutations breaks the budget engine's key lines, one at a time, and
// runs the tests that must notice. It changes nothing on disk: the compiler gets
// the broken file as an overlay. Start it with make mutations.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// mutation is a line that matters, what breaks it, and who must see that.
type mutation struct {
	name, file, from, to string
	// tests of the package, internal/budget unless it begins with another one.
	tests string
}

var mutations = []mutation{
	{"the round's number is not asked for: a node that was given up writes on", "write.go", `if err == nil && n == 0 {`, `if err == nil && n < 0 {`, "DeadNodes|Zombie"},
	{"a round whose answer was lost is sent again unasked", "round.go", `return seq == r.seq, err == nil`, `return false, err == nil`, "LostAnswers"},
	{"a lost round is taken to stand unasked", "round.go", `return seq == r.seq, err == nil`, `return true, err == nil`, "LostAnswers"},
	{"what ended is given back before it is written", "admit.go", `s.endedHeld += h.Amount + o.part(i)`, `s.held -= h.Amount + o.part(i)`, "WholePath|Overrun|Model/sqlite"},
	{"a lease goes back with what its ended calls still take", "round.go", `w.give = max(0, s.free())`, `w.give = max(0, s.free()+s.endedHeld)`, "Drained|Recalled|Model/sqlite"},
	{"a released call's row stays", "write.go", `if o.hold.written {`, `if o.hold.written && len(o.lines) > 0 {`, "LimitsAtTheEdges|Model/sqlite"},
	{"a folded lease keeps what its calls gave back", "write.go", `c.escrow(w.spent-r.own[k].granted, w.spent)`, `c.escrow(-w.give, w.spent)`, "Drained"},
	{"more is granted than is free", "write.go", `got := min(free, max(need,`, `got := max(need, max(need,`, "TwoNodes|Recalled|ThousandCalls"},
	{"admission goes by the last answer, not by when it was asked for", "book.go", `r.lasts(r.sent)`, `r.lasts(r.elapsed())`, "AdmissionEnds"},
	{"admission never ends", "sweep.go", `return sent + e.timeout - e.timeout/4`, `return sent + 1000*e.timeout`, "AdmissionEnds"},
	{"nothing is recalled", "write.go", `return !d.ahead && o.free > 0`, `return false`, "Recalled"},
	{"an overrun's excess can be spent again", "book.go", `s.closed = s.closed || w.over`, `s.closed = s.closed && w.over`, "ExcessIsNot"},
	{"what a given-up node had to write is dropped", "round.go", `n.amends = append(append(n.amends, r.ended...), n.ended...)`, `n.amends = append(n.amends, n.ended...)`, "DeadNodes|Zombie"},
	{"a late settlement may charge more than was charged in doubt", "amend.go", `if err != nil || cost >= o.receipt.Cost {`, `if err != nil {`, "DeadNodes|Adjusted"},
	{"a call unknown to the database is dropped", "amend.go", `case o.do != release && o.hold.Call.AccountID != "":`, `case false:`, "JournalOutlives|JournalThat"},
	{"a hold isn't journaled", "journal.go", `if err := j.append(heldRecord, record); err != nil {`, `if false {`, "JournalOutlives"},
	{"an end isn't journaled", "journal.go", `if err := j.append(endedRecord, record); err != nil {`, `if false {`, "JournalOutlives"},
	{"records are believed without their checksum", "replay.go", `|| crc32.ChecksumIEEE(text[header-1:header+size]) != binary.LittleEndian.Uint32(text[4:])`, `|| crc32.ChecksumIEEE(text) == 0 && binary.LittleEndian.Uint32(text[4:]) == 0`, "RottenJournal"},
	{"readers don't wait for what isn't written", "admit.go", `if n.tried < n.queued {`, `if false {`, "WholePath/file|Reads/file"},
	{"what others changed isn't learned", "node.go", `if owns(accountID, k.path) {`, `if false {`, "ChangesReach|LimitsAtTheEdges"},
	{"a dead node's holds aren't charged", "sweep.go", `ops = append(ops, &op{do: doubt,`, `ops = append(ops, &op{do: release,`, "DeadNodes"},
	{"a bad charge holds up all others", "round.go", `if bad := e.bad(ctx, r.ended); len(bad) > 0 {`, `if bad := e.bad(ctx, r.ended); false {`, "OneBadCall|Outlives"},
	{"an idempotency key is taken twice", "idempotency.go", `if n == 1 {`, `if n >= 0 {`, "internal/gateway Idempotency"},
	{"a released call keeps its idempotency key", "idempotency.go", `"DELETE FROM idempotency_keys WHERE charge_id IN ("`, `"DELETE FROM idempotency_keys WHERE expires_at IS NULL AND charge_id IN ("`, "internal/gateway Idempotency"},
}

func main() {
	only := flag.String("only", "", "regular expression of the mutations to try")
	flag.Parse()
	wanted, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutations:", err)
		os.Exit(2)
	}
	missed := 0
	for _, m := range mutations {
		if !wanted.MatchString(m.name) {
			continue
		}
		seen, err := m.try()
		switch {
		case err != nil:
			missed++
			fmt.Printf("BROKEN  %s: %v\n", m.name, err)
		case seen == "":
			missed++
			fmt.Printf("MISSED  %s\n", m.name)
		default:
			fmt.Printf("seen    %s (%s)\n", m.name, seen)
		}
	}
	if missed > 0 {
		os.Exit(1)
	}
}

var failed = regexp.MustCompile(`(?m)^--- FAIL: (\S+)|^panic: (.*)$`)

// try returns the first test that noticed, "" when none did.
func (m mutation) try() (string, error) {
	path, err := filepath.Abs(filepath.Join("internal/budget", m.file))
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.from); n != 1 {
		return "", fmt.Errorf("%q stands in %s %d times", m.from, m.file, n)
	}
	dir, err := os.MkdirTemp("", "cockpit-mutation-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	broken, overlay := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: broken}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(broken, []byte(strings.Replace(string(text), m.from, m.to, 1)), 0o600); err != nil { //nolint:gosec // in a folder of its own
		return "", err
	}
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		return "", err
	}
	pkg, tests, other := strings.Cut(m.tests, " ")
	if !other {
		pkg, tests = "internal/budget", m.tests
	}
	out, err := exec.CommandContext(context.Background(), "go", "test", "-overlay", overlay, "-vet=off", "-count=1", "-failfast", "-timeout", "4m", "-run", tests, "./"+pkg).CombinedOutput()
	if err == nil {
		return "", nil
	}
	if found := failed.FindStringSubmatch(string(out)); found != nil {
		return found[1] + found[2], nil
	}
	return "", fmt.Errorf("the tests didn't run: %s", out)
}
