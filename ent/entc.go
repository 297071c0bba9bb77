//go:build ignore

// The generator of this package: go run ent/entc.go from the project's root.
package main

import (
	"log"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
)

func main() {
	// Upsert and raw execution stay off: both walk around the tenancy guard.
	err := entc.Generate("./schema", &gen.Config{
		Target:    "./ent",
		Package:   "github.com/alchemi/cockpit/ent",
		Features:  []gen.Feature{gen.FeatureVersionedMigration},
		Templates: []*gen.Template{gen.MustParse(gen.NewTemplate("guarded").ParseFiles("ent/template/guarded.tmpl"))},
	})
	if err != nil {
		log.Fatal(err)
	}
}
