// Package ui carries the built user interface. Without a build the folder
// holds nothing but a placeholder, so that the server compiles all the same.
package ui

import "embed"

// Dist is Vite's output under dist/: index.html, graphiql.html, and assets
// whose names carry their hash, each beside a .gz of itself.
//
//go:embed all:dist
var Dist embed.FS
