package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	cuejson "cuelang.org/go/encoding/json"
)

// The name of the values in positions.
const valuesFile = "values"

// check gives the parameters in force, or everything that the schema refuses.
func (s *schema) check(values map[string]any) (map[string]json.RawMessage, []violation) {
	known, strangers := s.split(values)
	var violations []violation
	for _, path := range strangers {
		violations = append(violations, s.unknown(path, values))
	}
	whole, err := s.with(known)
	if err != nil {
		return nil, append(violations, violation{Message: err.Error()})
	}
	inForce := whole.LookupPath(parametersPath)
	groups := grouped(whole.Validate(cue.Concrete(false), cue.All()))
	groups = merged(groups, grouped(inForce.Validate(cue.Concrete(true))))
	violations = append(violations, s.violations(groups, known)...)
	if len(violations) > 0 {
		slices.SortStableFunc(violations, func(a, b violation) int { return strings.Compare(a.Parameter, b.Parameter) })
		return nil, violations
	}
	return s.collect(inForce)
}

// collect is each parameter's value as JSON; an optional one that is not set is absent.
func (s *schema) collect(inForce cue.Value) (map[string]json.RawMessage, []violation) {
	all := map[string]json.RawMessage{}
	var violations []violation
	fields, err := inForce.Fields()
	if err != nil {
		return nil, []violation{{Message: err.Error()}}
	}
	for fields.Next() {
		name := nameOf(fields.Selector())
		text, err := fields.Value().MarshalJSON()
		if err != nil {
			return nil, []violation{{Parameter: name, Message: err.Error()}}
		}
		if message := unfit(fields.Value(), text); message != "" {
			rule := s.place(lookup(s.root.LookupPath(parametersPath), name).Pos())
			violations = append(violations, violation{Parameter: name, Value: short(string(text), mostRule), Message: message, Rule: rule})
		}
		all[name] = text
	}
	if len(violations) > 0 {
		return nil, violations
	}
	return all, nil
}

// with is the schema with these values set.
func (s *schema) with(values map[string]any) (cue.Value, error) {
	if len(values) == 0 {
		return s.root, nil
	}
	set, err := expression(s.asDeclared(values))
	if err != nil {
		return cue.Value{}, err
	}
	return s.root.FillPath(parametersPath, s.context.BuildExpr(set)), nil
}

// expression is the values as CUE.
func expression(values map[string]any) (ast.Expr, error) {
	text, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	return cuejson.Extract(valuesFile, text)
}

// asDeclared writes whole numbers as `1.0` where a parameter is a `float`: for
// people, 1 is one.
func (s *schema) asDeclared(values map[string]any) map[string]any {
	written := map[string]any{}
	for name, value := range values {
		number, ok := value.(json.Number)
		if ok && !strings.ContainsAny(number.String(), ".eE") {
			declared := lookup(s.root.LookupPath(parametersPath), name)
			if declared.Exists() && declared.IncompleteKind()&cue.NumberKind == cue.FloatKind {
				value = json.Number(number.String() + ".0")
			}
		}
		written[name] = value
	}
	return written
}

// split takes out what no rule declares. A field may be declared under a
// condition that other values fulfil, so those are set first.
func (s *schema) split(values map[string]any) (map[string]any, [][]string) {
	known := copied(values)
	strangers := undeclared(s.root.LookupPath(parametersPath), values, nil)
	for _, path := range strangers {
		remove(known, path)
	}
	for waits := len(strangers) > 0; waits; {
		waits = false
		whole, err := s.with(known)
		if err != nil {
			return known, strangers
		}
		var rest [][]string
		for _, path := range strangers {
			field := lookupAll(whole.LookupPath(parametersPath), path)
			if !field.Exists() {
				rest = append(rest, path)
				continue
			}
			waits = true
			within := undeclaredIn(field, restore(known, values, path), path)
			for _, inner := range within {
				remove(known, inner)
			}
			rest = append(rest, within...)
		}
		strangers = rest
	}
	return known, strangers
}

// undeclared are the paths in values that the declaration has no field for.
func undeclared(declaration cue.Value, values map[string]any, above []string) [][]string {
	var paths [][]string
	for _, name := range sorted(values) {
		path := append(slices.Clone(above), name)
		field := lookup(declaration, name)
		if !field.Exists() {
			if !patterned(declaration, name) {
				paths = append(paths, path)
			}
			continue
		}
		paths = append(paths, undeclaredIn(field, values[name], path)...)
	}
	return paths
}

// undeclaredIn are those in the value of a field, where it is a struct.
func undeclaredIn(field cue.Value, value any, path []string) [][]string {
	inner, ok := value.(map[string]any)
	if !ok || field.IncompleteKind() != cue.StructKind {
		return nil
	}
	return undeclared(field, inner, path)
}

// lookup is the field of that name, optional ones too.
func lookup(declaration cue.Value, name string) cue.Value {
	field := declaration.LookupPath(cue.MakePath(cue.Str(name)))
	if !field.Exists() {
		field = declaration.LookupPath(cue.MakePath(cue.Str(name).Optional()))
	}
	return field
}

func lookupAll(declaration cue.Value, path []string) cue.Value {
	for _, name := range path {
		declaration = lookup(declaration, name)
	}
	return declaration
}

// patterned is whether a pattern such as `[=~"^x-"]: string`, or `...`, admits the name.
func patterned(declaration cue.Value, name string) bool {
	closed := declaration.Context().CompileString("{open: _, closed: close(open)}").FillPath(cue.ParsePath("open"), declaration)
	return closed.LookupPath(cue.ParsePath("closed")).Allows(cue.Str(name))
}

func (s *schema) unknown(path []string, values map[string]any) violation {
	declaration := lookupAll(s.root.LookupPath(parametersPath), path[:len(path)-1])
	var declared []string
	if fields, err := declaration.Fields(cue.Optional(true)); err == nil {
		for fields.Next() {
			declared = append(declared, nameOf(fields.Selector()))
		}
	}
	name := path[len(path)-1]
	message := fmt.Sprintf("unknown parameter `%s`", name)
	if meant := nearest(name, declared); meant != "" {
		message += fmt.Sprintf(" (did you mean `%s`?)", meant)
	}
	value, _ := valueAt(values, path)
	return violation{Parameter: joined(path), Value: value, Message: message}
}

func copied(values map[string]any) map[string]any {
	all := map[string]any{}
	for name, value := range values {
		if inner, ok := value.(map[string]any); ok {
			value = copied(inner)
		}
		all[name] = value
	}
	return all
}

func remove(values map[string]any, path []string) {
	for _, name := range path[:len(path)-1] {
		inner, ok := values[name].(map[string]any)
		if !ok {
			return
		}
		values = inner
	}
	delete(values, path[len(path)-1])
}

// restore puts the value at the path back into `known`, and gives it.
func restore(known, values map[string]any, path []string) any {
	last := len(path) - 1
	for _, name := range path[:last] {
		known, _ = known[name].(map[string]any)
		values, _ = values[name].(map[string]any)
	}
	value := values[path[last]]
	if inner, ok := value.(map[string]any); ok {
		value = copied(inner)
	}
	if known != nil {
		known[path[last]] = value
	}
	return value
}

// valueAt is the value at the path as JSON, and whether there is one.
func valueAt(values any, path []string) (string, bool) {
	for _, name := range path {
		switch within := values.(type) {
		case map[string]any:
			value, ok := within[name]
			if !ok {
				return "", false
			}
			values = value
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || index < 0 || index >= len(within) {
				return "", false
			}
			values = within[index]
		default:
			return "", false
		}
	}
	text, err := json.Marshal(values)
	return string(text), err == nil
}
