package main

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// The folder of an addon in which schemas lie.
const folder = "schema/"

// The packages that a schema may import: those of instead/register.go.txt.
var packages = []string{
	"encoding/base64", "encoding/hex", "encoding/json", "list", "math", "math/bits", "net",
	"path", "regexp", "strconv", "strings", "struct", "time",
}

// The effects that a parameter may have; the last one where it says nothing.
var effects = []string{"dynamic", "reload", "restart"}

// A schema without faults of its own.
type schema struct {
	context *cue.Context
	// The text of each file, by name with its folder.
	texts map[string]string
	files []*ast.File
	// Everything that the files say, with the runtime.
	root cue.Value
}

// read takes the files for one package, or says everything that is wrong with them.
func read(files map[string]string) (*schema, []finding) {
	s := &schema{context: cuecontext.New(), texts: map[string]string{}}
	var found []finding
	for _, name := range sorted(files) {
		path := folder + name
		s.texts[path] = files[name]
		file, err := parser.ParseFile(path, files[name], parser.ParseComments, parser.AllErrors)
		if err != nil {
			found = append(found, s.told(err)...)
			continue
		}
		s.files = append(s.files, file)
	}
	found = append(found, s.packages()...)
	for _, file := range s.files {
		found = append(found, imports(file)...)
		found = append(found, numbers(file)...)
	}
	return s, found
}

// judge adds what is wrong with what they say.
func (s *schema) judge(version runtime, found []finding) []finding {
	if len(found) == 0 {
		found = s.build(version, nil)
	}
	if len(found) == 0 {
		found = s.faults()
	}
	for _, file := range s.files {
		found = append(found, attributes(file)...)
	}
	return inOrder(found)
}

// packages gives all files the same package, so that each sees what the others
// declare; two that name different ones were not meant to be one.
func (s *schema) packages() []finding {
	var found []finding
	var first *ast.Package
	for _, file := range s.files {
		var others []ast.Decl
		for _, declaration := range file.Decls {
			clause, ok := declaration.(*ast.Package)
			if !ok {
				others = append(others, declaration)
				continue
			}
			if first == nil {
				first = clause
			} else if clause.Name.Name != first.Name.Name {
				found = append(found, at(clause.Pos(), fmt.Sprintf("it is of the package `%s`, and %s of `%s`: the files of one schema are one package",
					clause.Name.Name, first.Pos().Filename(), first.Name.Name)))
			}
		}
		file.Decls = append([]ast.Decl{&ast.Package{Name: ast.NewIdent("schema")}}, others...)
	}
	return found
}

// imports refuses all but [packages]: nothing is fetched, and no file is read.
func imports(file *ast.File) []finding {
	var found []finding
	for _, declaration := range file.Decls {
		if attribute, ok := declaration.(*ast.Attribute); ok {
			if name, _ := attribute.Split(); name == "extern" {
				found = append(found, at(attribute.Pos(), "`@extern` cannot be used: a schema reads no files and calls no programs"))
			}
		}
	}
	for spec := range file.ImportSpecs() {
		path, err := strconv.Unquote(spec.Path.Value)
		if err == nil && !slices.Contains(packages, path) {
			found = append(found, at(spec.Pos(), fmt.Sprintf("`%s` cannot be imported: a schema has %s of CUE's own packages alone", path, strings.Join(packages, ", "))))
		}
	}
	return found
}

// attributes finds what is wrong with the `@effect(…)` of a file.
func attributes(file *ast.File) []finding {
	var found []finding
	inPlace := map[*ast.Attribute]bool{}
	ast.Walk(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.Field:
			for _, attribute := range node.Attrs {
				inPlace[attribute] = true
			}
		case *ast.Attribute:
			if message := attributeFault(node, inPlace[node]); message != "" {
				found = append(found, at(node.Pos(), message))
			}
		}
		return true
	}, nil)
	return found
}

func attributeFault(attribute *ast.Attribute, inPlace bool) string {
	name, body := attribute.Split()
	word := strings.TrimSpace(body)
	switch {
	case name != "effect":
		if nearest(name, []string{"effect"}) != "" {
			return fmt.Sprintf("unknown attribute `@%s`; did you mean `@effect`?", name)
		}
		return ""
	case !inPlace:
		return "`@effect` stands in the line of its parameter, behind the value"
	}
	for _, effect := range effects {
		if word == effect {
			return ""
		}
	}
	return fmt.Sprintf("unknown effect `%s`; want one of %s%s", word, strings.Join(effects, ", "), didYouMean(word, effects))
}

// build makes one value of the files, the runtime, and values.
func (s *schema) build(version runtime, values map[string]any) []finding {
	instance := build.NewContext().NewInstance("", nil)
	for _, file := range s.files {
		if err := instance.AddSyntax(file); err != nil {
			return s.told(err)
		}
	}
	given := fmt.Sprintf("package schema\nruntime: {version: %q, major: %d, minor: %d, patch: %d}\n",
		version.Version, version.Major, version.Minor, version.Patch)
	if err := instance.AddFile("runtime", given); err != nil {
		return s.told(err)
	}
	if len(values) > 0 {
		set, err := expression(values)
		if err != nil {
			return s.told(err)
		}
		file := &ast.File{Filename: valuesFile, Decls: []ast.Decl{
			&ast.Package{Name: ast.NewIdent("schema")},
			&ast.Field{Label: ast.NewIdent("parameters"), Value: set},
		}}
		if err := instance.AddSyntax(file); err != nil {
			return s.told(err)
		}
	}
	s.root = s.context.BuildInstance(instance)
	if instance.Err != nil {
		return s.told(instance.Err)
	}
	return nil
}

// faults are those that the schema has before any value is set.
func (s *schema) faults() []finding {
	if err := s.root.Validate(cue.Concrete(false), cue.All()); err != nil {
		return s.contradictions(err)
	}
	declared := s.root.LookupPath(parametersPath)
	if !declared.Exists() || declared.IncompleteKind() != cue.StructKind {
		return []finding{{File: s.first(), Message: "it declares no parameters: want `parameters: {…}` with a field for each"}}
	}
	return nil
}

// contradictions are rules that nothing can satisfy: one finding for each path.
func (s *schema) contradictions(err error) []finding {
	var found []finding
	for _, group := range grouped(err) {
		var reasons []string
		for _, fault := range group.faults {
			if !fault.isHeader() {
				reasons = append(reasons, fault.text())
			}
		}
		message := strings.Join(unique(reasons), "; ")
		if own := s.own(group.faults); own != nil {
			message = "the defaults are refused: " + own.text()
		} else if _, rule := s.ruleAt(group.faults); rule != "" && !isGiven(group.path) {
			message = fmt.Sprintf("the defaults break the rule `%s`", rule)
		} else if len(group.path) > 0 {
			message = fmt.Sprintf("nothing satisfies `%s`: %s", strings.TrimPrefix(joined(group.path), "parameters."), message)
		}
		place := s.placeOf(group.faults, "")
		if place == nil {
			found = append(found, finding{File: s.first(), Message: message})
			continue
		}
		found = append(found, finding{File: place.File, Line: place.Line, Column: place.Column, Message: message})
	}
	return found
}

// told is what CUE says of a text that it cannot read.
func (s *schema) told(err error) []finding {
	var found []finding
	for _, one := range errors.Errors(err) {
		format, args := one.Msg()
		message := strings.TrimSpace(fmt.Sprintf(format, args...))
		position := one.Position()
		if !position.IsValid() && len(one.InputPositions()) > 0 {
			position = one.InputPositions()[0]
		}
		if !position.IsValid() {
			found = append(found, finding{File: s.first(), Message: message})
			continue
		}
		found = append(found, at(position, message))
	}
	return found
}

// first is the name of the first file, for what has no place.
func (s *schema) first() string {
	for _, name := range sorted(s.texts) {
		return name
	}
	return folder
}

func at(position token.Pos, message string) finding {
	return finding{File: position.Filename(), Line: position.Line(), Column: position.Column(), Message: message}
}

func inOrder(found []finding) []finding {
	sort.SliceStable(found, func(i, j int) bool {
		a, b := found[i], found[j]
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	var once []finding
	for _, one := range found {
		if len(once) == 0 || once[len(once)-1] != one {
			once = append(once, one)
		}
	}
	return once
}

func sorted[V any](byName map[string]V) []string {
	names := make([]string, 0, len(byName))
	for name := range byName {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func unique(texts []string) []string {
	var once []string
	seen := map[string]bool{}
	for _, text := range texts {
		if !seen[text] {
			seen[text] = true
			once = append(once, text)
		}
	}
	return once
}

// isGiven is whether the path leads to a parameter or to the runtime: those are
// wrong by themselves, and not by a rule about others.
func isGiven(path []string) bool {
	return len(path) > 0 && (path[0] == "parameters" || path[0] == "runtime")
}
