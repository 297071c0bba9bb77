package openapi

import "strings"

// Request says what a call of an operation does on the wire: method, path, and
// where each argument goes. Two operations that say the same of themselves
// differ in it where they don't do the same.
func (d *Document) Request(name string) string {
	o := d.byName[name]
	if o == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(o.method + " ")
	for i, part := range o.path {
		if i%2 == 1 {
			part = "{" + part + "}"
		}
		b.WriteString(part)
	}
	for _, p := range o.parameters {
		if p.in != "path" {
			b.WriteString(" " + p.in + ":" + p.name + "=" + p.argument)
		}
	}
	if o.body != nil {
		b.WriteString(" body:" + o.body.contentType)
	}
	return b.String()
}
