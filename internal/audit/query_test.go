package audit

import "github.com/alchemi/cockpit/ent"

// Query is the query of a first page.
func (s Selection) Query(c *ent.Client, sparse bool) *ent.AuditEventQuery {
	return s.page(c, Bounds{Before: 1 << 40}, 51, true, sparse)
}
