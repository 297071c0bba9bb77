// Package events carries what has just happened from where it happened to the
// live subscriptions of this process: small messages that name rows, never the
// rows themselves, so that receivers read them as their own viewer may.
package events

import (
	"maps"
	"slices"
	"sync"

	"github.com/alchemi/cockpit/internal/fault"
)

// SlowConsumer is the code of ErrSlow.
const SlowConsumer fault.Code = "SLOW_CONSUMER"

// ErrSlow ends a subscription whose buffer was full when the next message
// came; what was buffered can still be received.
var ErrSlow = fault.New(SlowConsumer, "This connection was too slow to take all that happened. Read the list again, then subscribe anew.")

// Broker hands messages of type T to the subscribers of a topic.
type Broker[T any] struct {
	mu     sync.Mutex
	topics map[string]map[*Subscription[T]]struct{}
}

// NewBroker makes a broker without topics; they come and go with subscribers.
func NewBroker[T any]() *Broker[T] {
	return &Broker[T]{topics: map[string]map[*Subscription[T]]struct{}{}}
}

// Subscription receives one topic's messages until it is closed or was too
// slow.
type Subscription[T any] struct {
	broker *Broker[T]
	topic  string
	ch     chan T
	err    error
	ended  bool
}

// Subscribe buffers up to buffer messages for the subscriber, who must Close.
func (b *Broker[T]) Subscribe(topic string, buffer int) *Subscription[T] {
	s := &Subscription[T]{broker: b, topic: topic, ch: make(chan T, buffer)}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.topics[topic] == nil {
		b.topics[topic] = map[*Subscription[T]]struct{}{}
	}
	b.topics[topic][s] = struct{}{}
	return s
}

// Publish gives the message to all subscribers of the topic. It never blocks:
// a subscriber without room is ended with ErrSlow.
func (b *Broker[T]) Publish(topic string, message T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.topics[topic] {
		select {
		case s.ch <- message:
		default:
			s.end(ErrSlow)
		}
	}
}

// Subscribers counts those of a topic.
func (b *Broker[T]) Subscribers(topic string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.topics[topic])
}

// Topics lists those that somebody subscribes to.
func (b *Broker[T]) Topics() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.topics))
}

// C delivers the messages in order; it is closed when the subscription ends.
func (s *Subscription[T]) C() <-chan T { return s.ch }

// Err tells why C was closed: ErrSlow, or nil after Close.
func (s *Subscription[T]) Err() error {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	return s.err
}

// Close ends the subscription; closing again does nothing.
func (s *Subscription[T]) Close() {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	s.end(nil)
}

// end needs the broker's lock.
func (s *Subscription[T]) end(err error) {
	if s.ended {
		return
	}
	s.ended, s.err = true, err
	close(s.ch)
	delete(s.broker.topics[s.topic], s)
	if len(s.broker.topics[s.topic]) == 0 {
		delete(s.broker.topics, s.topic)
	}
}
