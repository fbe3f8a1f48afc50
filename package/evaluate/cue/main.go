// Checks the parameters of an App against a schema in CUE, inside the sandbox of
// the crate paamesh-evaluate, which builds this for WASI.
//
// In: a request as JSON on standard input. Out: an answer as JSON on standard
// output. Nothing else is read or written; the same request has the same answer.
// By hand: `echo '{"files": {"a.cue": "parameters: x: int"}}' | go run .`
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// A request is what `package::evaluate::SchemaRequest` holds.
type request struct {
	// The files of the schema, by name: one CUE package.
	Files map[string]string `json:"files"`
	// The version of the middleware, for rules that depend on it.
	Runtime runtime `json:"runtime"`
	// The values that are set, by parameter.
	Values map[string]any `json:"values"`
	// Whether parameters are described, and defaults judged.
	Describe bool `json:"describe"`
}

// The version of the middleware, as a schema sees it.
type runtime struct {
	Version string `json:"version"`
	Major   uint64 `json:"major"`
	Minor   uint64 `json:"minor"`
	Patch   uint64 `json:"patch"`
}

// An answer has one of the three.
type answer struct {
	Parameters *parameters `json:"parameters,omitempty"`
	Schema     []finding   `json:"schema,omitempty"`
	Values     []violation `json:"values,omitempty"`
}

// The names of its fields are those of `package::evaluate::Parameters`.
type parameters struct {
	Values   map[string]json.RawMessage `json:"values"`
	Declared map[string]parameter       `json:"declared"`
}

type parameter struct {
	Effect      string          `json:"effect"`
	Allowed     string          `json:"allowed,omitempty"`
	Default     json.RawMessage `json:"default,omitempty"`
	Description string          `json:"description,omitempty"`
}

// What is wrong with the schema itself.
type finding struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// A value that the schema refuses.
type violation struct {
	Parameter string `json:"parameter"`
	Value     string `json:"value,omitempty"`
	Message   string `json:"message"`
	Rule      *place `json:"rule,omitempty"`
}

// Where a rule stands.
type place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

func main() {
	text, err := answered(os.Stdin)
	if err != nil {
		fail(err)
	}
	if _, err := os.Stdout.Write(text); err != nil {
		fail(fmt.Errorf("the answer cannot be written: %w", err))
	}
}

// answered is the answer to the request that `from` gives.
func answered(from io.Reader) ([]byte, error) {
	var asked request
	decoder := json.NewDecoder(from)
	decoder.UseNumber()
	if err := decoder.Decode(&asked); err != nil {
		return nil, fmt.Errorf("the request cannot be read: %w", err)
	}
	text, err := json.Marshal(judge(asked))
	if err != nil {
		return nil, fmt.Errorf("the answer cannot be written: %w", err)
	}
	return text, nil
}

func judge(asked request) answer {
	schema, findings := read(asked.Files)
	if len(findings) == 0 && !asked.Describe {
		if usual := schema.usual(asked.Runtime, asked.Values); usual != nil {
			return answer{Parameters: usual}
		}
	}
	if findings = schema.judge(asked.Runtime, findings); len(findings) > 0 {
		return answer{Schema: findings}
	}
	declared, findings := schema.declared(asked.Describe)
	if len(findings) > 0 {
		return answer{Schema: findings}
	}
	values, violations := schema.check(asked.Values)
	if len(violations) > 0 {
		return answer{Values: violations}
	}
	return answer{Parameters: &parameters{Values: values, Declared: declared}}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
