package main

import (
	"bytes"
	"encoding/json"
	"runtime/debug"
)

// evaluate answers one request: what the sandbox calls.
//
//go:wasmexport evaluate
func evaluate() {
	main()
}

// warm walks the usual paths once, so that what is made on first use is there:
// what snapshot/ calls when the program is built.
//
//go:wasmexport warm
func warm() {
	for _, values := range []map[string]any{usualValues, wrongValues} {
		for _, describe := range []bool{false, true} {
			asked, err := json.Marshal(request{
				Files:    map[string]string{"usual.cue": usualSchema},
				Runtime:  runtime{Version: "1.0.0", Major: 1},
				Values:   values,
				Describe: describe,
			})
			if err != nil {
				fail(err)
			}
			if _, err := answered(bytes.NewReader(asked)); err != nil {
				fail(err)
			}
		}
	}
	// What it leaves is collected now, and not in the middle of a request.
	debug.FreeOSMemory()
}

// What parameters usually are: types, bounds, defaults, patterns, rules across
// them, and a package of CUE's own.
const usualSchema = `package usual

import "strings"

#Size: =~"^[0-9]+(kB|MB)$"

parameters: {
	// How many.
	count: int & >=1 & <=100 | *10 @effect(restart)
	size:  #Size | *"4MB" @effect(reload)
	on:    bool | *true
	level: *"a" | "b"
	ratio: number & >=0 & <=10 | *1.5
	name:  strings.MaxRunes(63) | *"name"
	most:  int & >=count | *1024
	path?: =~"^/[a-z/]+$"
}

if parameters.on == false && parameters.level == "b" {
	rules: on: error("b needs on")
}
rules: counts: true & (parameters.count > parameters.most - 100000)
`

var (
	usualValues = map[string]any{"count": 20, "size": "64MB", "on": true, "level": "b", "ratio": 2.5, "path": "/var"}
	wrongValues = map[string]any{"count": 0, "level": "c", "size": "64 MB", "nmae": 1}
)
