package fault

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestErrorKeepsCauseAndCode(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk full")
	base := New(NotFound, "no %s", "team")
	err := fmt.Errorf("outer: %w", base.Because(cause).With("id", "team_1"))
	require.ErrorIs(t, err, cause)
	require.True(t, Is(err, NotFound))
	require.False(t, Is(err, Forbidden))
	require.Equal(t, "no team", As(err).Message)
	require.Equal(t, "team_1", As(err).Data["id"])
	require.Nil(t, base.Data, "With must not change the original")
	require.NoError(t, base.Cause)
	require.Nil(t, As(cause))
}
