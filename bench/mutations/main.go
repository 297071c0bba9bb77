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
	{"a round whose answer was lost is sent again unasked", "round.go", `return seq == r.seq, err`, `return false, err`, "LostAnswers"},
	{"a lost round is taken to stand unasked", "round.go", `return seq == r.seq, err`, `return true, err`, "LostAnswers"},
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
	{"a strict call goes out from the journal", "hold.go", `|| key != nil || h.path.strict || call.Cap`, `|| key != nil || call.Cap`, "Strict"},
	{"a hold that a lost round refused is given back twice", "book.go", `if !h.ending {`, `if h.ending || !h.written {`, "LostRound"},
	{"an increase outlasts the one that it draws on", "draft.go", `return max(0, lasting, atPresent, later)`, `return max(0, lasting, atPresent, 0*later)`, "LastsNoLonger"},
	{"strict dispatch isn't learned", "book.go", `strict: r.strict[accountOf(k.path)], `, ``, "Strict"},
	{"a hold of a given-up node goes out", "round.go", `h.failed = errFenced`, `h.failed = nil`, "Strict"},
	{"a round of a dead process stands while its journal is brought in", "replay.go", `SET seq = seq + 2`, `SET seq = seq + 0`, "Buries"},
	{"a node is buried before its journal is in", "replay.go", `"UPDATE nodes SET seq = seq + 2, seen_at = "+e.seen(&p, stamp(e.now()))+" WHERE id = $1", p...)`, `"DELETE FROM nodes WHERE id = $1", p[0])`, "Buries"},
	{"a frozen budget is held on", "slice.go", `if p.barred || p.frozen != nil {`, `if p.barred {`, "Frozen"},
	{"a closed cycle is charged", "amend.go", `if !known && a.anyClosed(h.cycles) {`, `if false {`, "AfterTheStatement"},
	{"a cycle is closed while calls of it run", "close.go", `== nil || c.busy[x.id] || c.waits(x) {`, `== nil || c.waits(x) {`, "AcrossTheBoundary|Model/sqlite"},
	{"children close before their parents", "close.go", `w != nil && !w.endsAt.After(x.endsAt) {`, `w != nil && w.endsAt.IsZero() {`, "Rollover|Model/sqlite|Waits"},
	{"increases are carried over", "close.go", `rest := max(0, row.lim-beside.raised-a.spent)`, `rest := max(0, row.lim-a.spent)`, "NotCarried"},
	{"more is carried over than the cap", "close.go", `min(x.rolloverCap, rest)`, `max(0, rest)`, "Rollover"},
	{"more is carried over than the parent has", "rollover.go", `amount = min(amount, max(0, parent.lim-r.keep[parent.scopeID]-sumBelow(r.shares, parent.path)))`, `amount = min(amount, parent.lim)`, "Rollover"},
	{"a correction of another cycle is spend of the statement", "statement.go", `case original != nil && !slices.Contains(original, k):`, `case original != nil && false:`, "Statement|Model/sqlite"},
	{"an increase outlasts its end", "open.go", `if inc.endsAt.After(row.startsAt) {`, `if !inc.endsAt.IsZero() {`, "Increases"},
	{"what was spent before a budget isn't counted", "prior.go", `escrowed = escrowed + $2, folded = folded + $2, prior = prior + $2`, `prior = prior + $2`, "ANewBudget"},
	{"calls that know a budget are counted as before it", "prior.go", `"CAST(h.cycles AS TEXT) NOT LIKE "+p.add("%"+k+"%")`, `"CAST(h.cycles AS TEXT) <> "+p.add("%"+k+"%")`, "ANewBudget|Model/sqlite"},
	{"calls of other scopes count as before a budget", "prior.go", `if column := payer(f.kind); column != "" {`, `if column := payer(f.kind); column == "?" {`, "ANewBudget|Model/sqlite"},
	{"corrections are counted as calls", "usage_rollup.go", `if r.kind == Settled || r.kind == InDoubt {`, `if r.kind != "" {`, "Usage"},
	{"usage forgets what it had summed", "usage_rollup.go", `"%[1]s = %[2]s.%[1]s + excluded.%[1]s"`, `"%[1]s = excluded.%[1]s"`, "Usage"},
	{"a tag given twice is counted twice", "usage_rollup.go", `return slices.Compact(slices.Sorted(slices.Values(tags)))`, `return slices.Sorted(slices.Values(tags))`, "Usage"},
	{"a charge isn't summed up", "charge.go", `return d.addUsage(ctx, c, charges)`, `return nil`, "Usage"},
	{"renewing by hand forgets the cycle before", "renew.go", `if s.startsAt.Before(now) && now.Before(s.endsAt) {`, `if s.startsAt.Before(now) && now.Before(s.startsAt) {`, "ByHand"},
	{"a rule that is changed ends a cycle before it began", "set.go", `if from.Before(s.startsAt) {`, `if false {`, "BeforeACycleBegan"},
	{"a reserve is set above the limit", "set.go", `me.is.Reserve > me.is.Limit {`, `me.is.Reserve < 0 {`, "BadSpecs|AbsurdAllocations|Model/sqlite"},
	{"a share is removed as a limit is", "set.go", `case me.is.Origin == ByShare:`, `case me.is.Origin == "":`, "EqualDistribution"},
	{"a closed cycle is leased again", "write.go", `case c == nil || c.closed: // by`, `case c == nil: // by`, "BehindAClosed"},
	{"an old version is written over", "set.go", `*spec.ExpectedVersion != old.Version {`, `*spec.ExpectedVersion > old.Version {`, "BadSpecs"},
	{"caps count as given", "draft.go", `if terms(e) == nil || e.kind.Leaf() || last != ""`, `if terms(e) == nil || last != ""`, "Copilot|Strict|AgentsGetNoShare|Model/sqlite"},
	{"what lies below a child is given twice", "draft.go", `last != "" && strings.HasPrefix(e.path, last) {`, `last == "?" {`, "Copilot|Strict|Model/sqlite"},
	{"the reserve is given", "draft.go", `lasting := add(g.set, t.Reserve) - t.Limit`, `lasting := g.set - t.Limit`, "NotGivenForGood"},
	{"temporary increases outgrow their parent", "draft.go", `atPresent := add(g.limits(), max(t.Reserve, g.raised)) - t.total()`, `atPresent := g.limits() - t.total()`, "Increases"},
	{"agents take shares", "distribute.go", `case child.kind.Leaf() || child.parentID`, `case child.parentID`, "AgentsGetNoShare|Model/sqlite"},
	{"what is left over by division is lost", "distribute.go", `if money.Nano(i) < left%money.Nano(n) {`, `if false {`, "SharesAreExactly"},
	{"what is archived keeps its share", "distribute.go", `case !child.archived:`, `case true:`, "Archived"},
	{"overrides are shared out as well", "distribute.go", `max(e.is.Reserve, g.raised)-g.set)`, `max(e.is.Reserve, g.raised))`, "EqualDistribution|Model/sqlite"},
	{"shares outlive their parent's sharing", "distribute.go", `parent.is.Distribution != Equal) {`, `parent.is.Distribution == "") {`, "EqualDistribution|Model/sqlite"},
	{"a move makes money", "move.go", `a.is.Limit-amount, BySet, "Moved to "`, `a.is.Limit, BySet, "Moved to "`, "Moves"},
	{"a move takes what was given below", "move.go", `if kept > e.is.Limit-amount && kept > 0 {`, `if false {`, "MovesKeep"},
	{"a move takes what was spent", "move.go", `if free < amount {`, `if free < 0 {`, "MovesBetween"},
	{"an increase ends twice", "increase.go", `if ended == 0 {`, `if ended < 0 {`, "Increases"},
	{"an increase that is over is in force", "draft.go", `i.ended_at IS NULL AND i.ends_at > $3)`, `i.ended_at IS NULL AND i.ends_at <> $3)`, "NotGivenForGood"},
	{"an increase isn't taken back by the clock", "increase.go", `WHERE ended_at IS NULL AND ends_at <= $1 ORDER BY`, `WHERE ended_at IS NULL AND ends_at < '1970' AND ends_at <= $1 ORDER BY`, "Increases"},
	{"an overflow is split from the oldest line on", "overflow.go", `ORDER BY h.at DESC, h.adjusts <> '' DESC, h.id DESC`, `ORDER BY h.at, h.adjusts <> '', h.id`, "StatementSays"},
	{"corrections of other cycles are split as overflow", "overflow.go", `if original != nil && !slices.Contains(original, s.id) {`, `if false {`, "StatementSays"},
	{"all of a scope's lines are read for a receipt", "overflow.go", `" AND h.at >= " + p.add(stamp(s.since))`, `" AND h.day >= 0 AND " + p.add(stamp(s.since)) + " <> '1970-01-01'"`, "OverflowsRead"},
	{"a parent's reserve is carried over", "rollover.go", `parent.lim-r.keep[parent.scopeID]-sumBelow`, `parent.lim-sumBelow`, "NotCarriedOver"},
	{"grandchildren count against a rest as well", "rollover.go", `last != "" && strings.HasPrefix(s.path, last) {`, `last == "?" {`, "Rollover"},
	{"a statement's overflow has no end", "statement.go", `return min(max(0, spent-lim), overflow)`, `return max(0, spent-lim)`, "StatementSays"},
	{"a statement forgets what was before its budget", "statement.go", `if err != nil || f == nil || f.id != cycleID || f.prior == 0 {`, `if true {`, "ANewBudget|Model/sqlite"},
	{"late lines are calls on statements", "statement.go", `CASE WHEN h.kind IN ('SETTLED', 'IN_DOUBT') THEN 1`, `CASE WHEN h.kind <> '' THEN 1`, "StatementSays|VerifyFinds"},
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
	out, err := exec.CommandContext(context.Background(), "go", "test", "-overlay", overlay, "-vet=off", "-count=1", "-failfast", "-timeout", "4m", "-run", tests, "./"+pkg, "-rapid.nofailfile").CombinedOutput()
	if err == nil {
		return "", nil
	}
	if found := failed.FindStringSubmatch(string(out)); found != nil {
		return found[1] + found[2], nil
	}
	return "", fmt.Errorf("the tests didn't run: %s", out)
}
