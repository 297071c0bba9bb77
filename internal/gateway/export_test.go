package gateway

// Doors lists the gateway's addresses, and which of them spend.
func Doors() map[string]bool {
	out := map[string]bool{}
	for _, d := range doors {
		out[d.pattern] = d.spends
	}
	return out
}
