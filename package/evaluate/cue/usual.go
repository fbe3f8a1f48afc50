package main

import (
	"encoding/json"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// usual gives the parameters in force where all is as it usually is: the files
// declare them as plain fields, each value is of one of those, and nothing is wrong.
// Then schema and values are evaluated once, together, which takes half the time of
// the schema first and the values after it. What a schema says by itself, without
// values, was judged at the door. Where something is not usual, there is no answer.
func (s *schema) usual(version runtime, values map[string]any) *parameters {
	names := s.plain()
	for name, value := range values {
		if _, inner := value.(map[string]any); inner || !names[name] {
			return nil
		}
	}
	if names == nil || s.build(version, values) != nil {
		return nil
	}
	inForce := s.root.LookupPath(parametersPath)
	if s.root.Validate(cue.Concrete(false), cue.All()) != nil || inForce.Validate(cue.Concrete(true)) != nil {
		return nil
	}
	return inUse(inForce, names)
}

// inUse is what [schema.declared] and [schema.collect] say, field by field, which
// spares CUE the search for an order of the fields.
func inUse(inForce cue.Value, names map[string]bool) *parameters {
	all := &parameters{Values: map[string]json.RawMessage{}, Declared: map[string]parameter{}}
	for name := range names {
		field := lookup(inForce, name)
		words := effectsOf(field)
		if len(words) > 1 {
			return nil
		}
		all.Declared[name] = parameter{Effect: append(words, effects[len(effects)-1])[0]}
		if field = inForce.LookupPath(cue.MakePath(cue.Str(name))); !field.Exists() {
			continue
		}
		text, err := field.MarshalJSON()
		if err != nil || unfit(field, text) != "" {
			return nil
		}
		all.Values[name] = text
	}
	return all
}

// plain are the names of the parameters where all files together declare them as
// plain fields of `parameters: {…}`, whatever the values are.
func (s *schema) plain() map[string]bool {
	found := names{always: map[string]bool{}, sometimes: map[string]bool{}}
	for _, file := range s.files {
		if !found.root(file.Decls, false) {
			return nil
		}
	}
	for name := range found.sometimes {
		if !found.always[name] {
			return nil
		}
	}
	return found.always
}

// The names of parameters that are declared always, and under a condition.
type names struct {
	always, sometimes map[string]bool
}

// root adds the names in declarations of the root, or says that they are not plain.
func (n names) root(declarations []ast.Decl, conditional bool) bool {
	for _, declaration := range declarations {
		switch one := declaration.(type) {
		case *ast.Package, *ast.ImportDecl, *ast.CommentGroup, *ast.Attribute, *ast.LetClause:
		case *ast.Field:
			name, ok := plainLabel(one.Label)
			if !ok || name == "parameters" && !n.parameters(one, conditional) {
				return false
			}
		case *ast.Comprehension:
			body, ok := one.Value.(*ast.StructLit)
			if !ok || !n.root(body.Elts, true) {
				return false
			}
		case *ast.EmbedDecl:
			if !isError(one.Expr) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// parameters adds the names of the fields in `parameters: {…}`.
func (n names) parameters(field *ast.Field, conditional bool) bool {
	fields, ok := field.Value.(*ast.StructLit)
	return ok && field.Constraint == token.ILLEGAL && n.fields(fields.Elts, conditional)
}

func (n names) fields(elements []ast.Decl, conditional bool) bool {
	for _, element := range elements {
		switch one := element.(type) {
		case *ast.CommentGroup:
		case *ast.Field:
			name, ok := plainLabel(one.Label)
			if !ok || strings.HasPrefix(name, "_") || strings.HasPrefix(name, "#") {
				return false
			}
			if !conditional {
				n.always[name] = true
				continue
			}
			// An effect that depends on values is not the parameter's.
			if len(one.Attrs) > 0 {
				return false
			}
			n.sometimes[name] = true
		case *ast.Comprehension:
			body, ok := one.Value.(*ast.StructLit)
			if !ok || !n.fields(body.Elts, true) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// isError is `error("…")`, which adds no field.
func isError(expression ast.Expr) bool {
	call, ok := expression.(*ast.CallExpr)
	if !ok {
		return false
	}
	function, ok := call.Fun.(*ast.Ident)
	return ok && function.Name == "error"
}

// plainLabel is the name of a field that has one, and not an expression or a pattern.
func plainLabel(label ast.Label) (string, bool) {
	switch label.(type) {
	case *ast.Ident, *ast.BasicLit:
		name, _, err := ast.LabelName(label)
		return name, err == nil
	}
	return "", false
}
