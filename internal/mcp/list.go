package mcp

import (
	"encoding/json"
	"sort"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/alchemi/cockpit/internal/connections"
)

// pageSize is how many tools one answer lists.
const pageSize = 100

// list serves tools/list: exactly what the caller may use now.
func (c *caller) list(q *sdk.ListToolsParams) (sdk.Result, error) {
	ctx := c.r.Context()
	usable, err := c.Shelves.Usable(ctx, c.is.Viewer.AccountID, c.is.Path)
	if err != nil {
		return nil, c.protocol(err)
	}
	from := 0
	if q != nil && q.Cursor != "" { // the name of the last tool of the page before
		from = sort.Search(len(usable), func(i int) bool { return usable[i].Name > q.Cursor })
	}
	out := &sdk.ListToolsResult{Tools: []*sdk.Tool{}}
	out.CacheScope = "private"
	for _, t := range usable[from:] {
		if !c.has(t.ID) {
			continue
		}
		if len(out.Tools) == pageSize {
			out.NextCursor = out.Tools[pageSize-1].Name
			break
		}
		out.Tools = append(out.Tools, toolOf(t.Name, t.Definition))
	}
	return out, nil
}

// toolOf is a pinned definition under the name that callers use.
func toolOf(name string, d connections.Definition) *sdk.Tool {
	t := &sdk.Tool{Name: name, Title: d.Title, Description: d.Description, InputSchema: d.InputSchema}
	if len(d.OutputSchema) > 0 {
		t.OutputSchema = d.OutputSchema
	}
	var hints sdk.ToolAnnotations
	if len(d.Annotations) > 0 && json.Unmarshal(d.Annotations, &hints) == nil {
		t.Annotations = &hints
	}
	return t
}
