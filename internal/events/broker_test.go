package events_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/events"
	"github.com/alchemi/cockpit/internal/fault"
)

func TestSlowSubscriberIsEndedAndKeepsWhatItHad(t *testing.T) {
	t.Parallel()
	b := events.NewBroker[int]()
	slow, quick := b.Subscribe("a", 2), b.Subscribe("a", 8)
	for i := range 4 {
		b.Publish("a", i)
	}
	var got []int
	for m := range slow.C() {
		got = append(got, m)
	}
	require.Equal(t, []int{0, 1}, got)
	require.True(t, fault.Is(slow.Err(), events.SlowConsumer))
	require.Equal(t, 1, b.Subscribers("a"), "only the quick one stays")
	slow.Close()
	require.True(t, fault.Is(slow.Err(), events.SlowConsumer), "closing later doesn't hide why it ended")

	require.Equal(t, 0, <-quick.C())
	quick.Close()
	quick.Close()
	require.NoError(t, quick.Err())
	require.Zero(t, b.Subscribers("a"))
	b.Publish("a", 9)
}

func TestSubscribersComeAndGoWhileMessagesAreSent(t *testing.T) {
	t.Parallel()
	b := events.NewBroker[int]()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				s := b.Subscribe("t", 1)
				b.Publish("t", 1)
				<-s.C()
				s.Close()
			}
		})
	}
	wg.Wait()
	require.Zero(t, b.Subscribers("t"))
}

// Whatever the order of calls, a subscriber receives a gapless beginning of
// what was published on its topic since it came, and never another topic's.
func TestBrokerDeliversInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type member struct {
			sub  *events.Subscription[int]
			want []int
			room int
			slow bool
		}
		b := events.NewBroker[int]()
		members := map[string][]*member{}
		topics := rapid.SampledFrom([]string{"x", "y"})
		for i := range rapid.IntRange(0, 60).Draw(t, "steps") {
			topic := topics.Draw(t, "topic")
			if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
				room := rapid.IntRange(0, 5).Draw(t, "room")
				members[topic] = append(members[topic], &member{sub: b.Subscribe(topic, room), room: room})
				continue
			}
			b.Publish(topic, i)
			for _, m := range members[topic] {
				if len(m.want) < m.room && !m.slow {
					m.want = append(m.want, i)
				} else {
					m.slow = true
				}
			}
		}
		for _, ms := range members {
			for _, m := range ms {
				m.sub.Close()
				var got []int
				for v := range m.sub.C() {
					got = append(got, v)
				}
				require.Equal(t, m.want, got)
				require.Equal(t, m.slow, m.sub.Err() != nil)
			}
		}
	})
}
