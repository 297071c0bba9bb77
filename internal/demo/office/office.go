// Package office is what the demo's company has in its house for tools to work
// with: a handbook and a travel desk that are MCP servers, and a booking of
// rooms with an OpenAPI document. The same question gets the same answer.
package office

import (
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Paths of the office, below an address that serves it.
const (
	// Handbook is its MCP server; HandbookBefore is the edition that came before,
	// with one tool less, and another that searched in fewer pages.
	Handbook       = "/office/handbook/2/mcp"
	HandbookBefore = "/office/handbook/1/mcp"
	// Travel wants each person's own key in TravelKeyHeader.
	Travel = "/office/travel/mcp"
	// RoomsDocument describes the rooms' API, which wants RoomsToken as bearer.
	RoomsDocument = "/office/rooms/openapi.yaml"
)

// RoomsToken is what the rooms' API takes.
const RoomsToken = "rooms-demo-token"

// Handler serves the office.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(HandbookBefore, serve(handbook(false)))
	mux.Handle(Handbook, serve(handbook(true)))
	mux.Handle(Travel, travel())
	rooms(mux)
	return mux
}

func serve(server *mcp.Server) http.Handler {
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
}

// reads are the hints of tools that change nothing.
func reads() *mcp.ToolAnnotations {
	closed := false
	return &mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: &closed}
}

func say(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

// refuse is an answer that a model can learn from.
func refuse(text string) *mcp.CallToolResult {
	r := say(text)
	r.IsError = true
	return r
}
