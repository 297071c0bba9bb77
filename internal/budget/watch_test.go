package budget

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWatcherIsToldOncePerRevision(t *testing.T) {
	t.Parallel()
	b := newBurn()
	w := &watcher{known: map[string]int64{"b": 3}, pending: map[string]Delta{}, wake: make(chan struct{}, 1)}
	b.watchers[w] = true
	tell := func(budgetID string, revision int64) {
		b.tell(map[string]*cycle{"c": {budgetID: budgetID, revision: revision}})
	}
	tell("b", 3)
	tell("other", 9)
	require.Empty(t, b.take(w))
	tell("b", 4)
	tell("b", 5)
	tell("b", 4)
	require.Equal(t, []Delta{{BudgetID: "b", Revision: 5}}, b.take(w))
	tell("b", 5)
	require.Empty(t, b.take(w))
	require.Equal(t, []string{"b"}, b.watched())
	b.leave(w)
	require.Empty(t, b.watched())
}
