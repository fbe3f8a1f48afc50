package main

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// The most characters of a rule's text that are told.
const mostRule = 160

// One of the errors that CUE has for a path.
type fault struct {
	path      []string
	format    string
	args      []any
	positions []token.Pos
}

// All that CUE has for a path.
type group struct {
	path   []string
	faults []fault
}

func (f fault) text() string {
	return strings.Join(strings.Fields(fmt.Sprintf(f.format, f.args...)), " ")
}

// isHeader is whether the fault only counts others: «3 errors in empty disjunction».
func (f fault) isHeader() bool {
	return strings.HasPrefix(f.format, "%d errors in empty disjunction")
}

// grouped is what CUE says, by path; alternatives of a disjunction fail at paths
// of their own, and belong to it.
func grouped(err error) []group {
	var groups []group
	var headers [][]string
	var all []fault
	for _, one := range errors.Errors(err) {
		text, args := one.Msg()
		f := fault{path: unquoted(one.Path()), format: text, args: args}
		for _, position := range append([]token.Pos{one.Position()}, one.InputPositions()...) {
			if position.IsValid() {
				f.positions = append(f.positions, position)
			}
		}
		if f.isHeader() {
			headers = append(headers, f.path)
		}
		all = append(all, f)
	}
	for _, f := range all {
		path := f.path
		for _, header := range headers {
			if len(header) < len(path) && slices.Equal(header, path[:len(header)]) {
				path = header
			}
		}
		groups = merged(groups, []group{{path: path, faults: []fault{f}}})
	}
	return groups
}

func merged(groups, others []group) []group {
	for _, other := range others {
		at := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.path, other.path) })
		if at < 0 {
			groups = append(groups, other)
		} else {
			groups[at].faults = append(groups[at].faults, other.faults...)
		}
	}
	return groups
}

func unquoted(path []string) []string {
	plain := make([]string, len(path))
	for i, label := range path {
		plain[i] = label
		if strings.HasPrefix(label, `"`) {
			if text, err := literal.Unquote(label); err == nil {
				plain[i] = text
			}
		}
	}
	return plain
}

// joined is `a.b[0]`.
func joined(path []string) string {
	var text strings.Builder
	for i, label := range path {
		switch {
		case i > 0 && label != "" && strings.Trim(label, "0123456789") == "":
			fmt.Fprintf(&text, "[%s]", label)
		case i > 0:
			text.WriteString("." + label)
		default:
			text.WriteString(label)
		}
	}
	return text.String()
}

// violations are the groups, as a person reads them.
func (s *schema) violations(groups []group, values map[string]any) []violation {
	if len(groups) == 0 {
		return nil
	}
	// The rules as the values that are right make them.
	right := copied(values)
	for _, group := range groups {
		if path := parameterOf(group.path); path != nil {
			delete(right, path[0])
		}
	}
	rules, err := s.with(right)
	if err != nil {
		rules = s.root
	}
	var all []violation
	for _, group := range groups {
		if path := parameterOf(group.path); path != nil {
			all = append(all, s.ofParameter(group.faults, path, rules, values))
		} else {
			all = append(all, s.ofRule(group.faults, values))
		}
	}
	return all
}

// parameterOf is the path in `parameters`, or nil.
func parameterOf(path []string) []string {
	if len(path) > 1 && path[0] == "parameters" {
		return path[1:]
	}
	return nil
}

// ofParameter is what is wrong with one parameter.
func (s *schema) ofParameter(faults []fault, path []string, rules cue.Value, values map[string]any) violation {
	field := lookupAll(rules.LookupPath(parametersPath), path)
	value, isSet := valueAt(values, path)
	told := violation{Parameter: joined(path), Value: value}
	if own := s.own(faults); own != nil {
		told.Message, told.Rule = own.text(), s.placeOf([]fault{*own}, "")
		return told
	}
	preferred := ""
	if field.Exists() {
		if chosen, has := field.Default(); has {
			preferred = fmt.Sprint(chosen)
		}
	}
	told.Rule = s.placeOf(faults, preferred)
	if told.Rule == nil && field.Exists() {
		told.Rule = s.place(field.Pos())
	}
	switch {
	case !isSet && field.Exists() && preferred == "":
		told.Message = "it must be set, for it has no default; want " + s.wanted(field)
	case isSet && field.Exists() && field.Err() == nil:
		told.Message = "want " + s.wanted(field)
	default:
		told.Message = reason(faults, preferred)
	}
	return told
}

// wanted is `one of "a", "b"`, or what is allowed in CUE.
func (s *schema) wanted(field cue.Value) string {
	alternatives := s.alternatives(field)
	if len(alternatives) < 2 || !allLiterals(alternatives) {
		return s.allowed(field)
	}
	var texts []string
	for _, one := range alternatives {
		texts = append(texts, inOneLine(one))
	}
	return "one of " + short(strings.Join(unique(texts), ", "), mostAllowed)
}

// reason is CUE's own words, without those about the default.
func reason(faults []fault, preferred string) string {
	var texts []string
	for _, one := range faults {
		if !one.isHeader() && !one.isAbout(preferred) {
			texts = append(texts, one.text())
		}
	}
	return strings.Join(unique(texts), "; ")
}

// isAbout is whether the fault says only that a value is not the default.
func (f fault) isAbout(preferred string) bool {
	if preferred == "" || !strings.HasPrefix(f.format, "conflicting values") {
		return false
	}
	return slices.ContainsFunc(f.args[:min(2, len(f.args))], func(arg any) bool { return fmt.Sprint(arg) == preferred })
}

// own is the fault that the schema's author words: `error("…")`.
func (s *schema) own(faults []fault) *fault {
	for i, one := range faults {
		for _, position := range one.positions {
			text := s.texts[position.Filename()]
			if offset := position.Offset(); offset < len(text) && strings.HasPrefix(text[offset:], "error(") {
				return &faults[i]
			}
		}
	}
	return nil
}

// placeOf is where the rule stands: a bound before a type, a type before a
// literal, the default last.
func (s *schema) placeOf(faults []fault, preferred string) *place {
	var best *place
	least := 4
	for _, one := range faults {
		rank := 1
		switch {
		case one.isAbout(preferred):
			rank = 3
		case strings.HasPrefix(one.format, "invalid value"):
			rank = 0
		case one.format == "conflicting values %s and %s":
			rank = 2
		}
		for _, position := range one.positions {
			at := s.place(position)
			if at == nil {
				continue
			}
			if rank < least || rank == least && before(at, best) {
				best, least = at, rank
			}
			break
		}
	}
	return best
}

func (s *schema) place(position token.Pos) *place {
	if _, ours := s.texts[position.Filename()]; !ours || !position.IsValid() {
		return nil
	}
	return &place{File: position.Filename(), Line: position.Line(), Column: position.Column()}
}

func before(a, b *place) bool {
	if a.File != b.File {
		return a.File < b.File
	}
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}

// ofRule is a rule about several parameters, which stands beside them.
func (s *schema) ofRule(faults []fault, values map[string]any) violation {
	told := violation{}
	own := s.own(faults)
	if own != nil {
		faults = []fault{*own}
		told.Message = own.text()
	}
	told.Rule = s.placeOf(faults, "")
	names, rule := s.ruleAt(faults)
	var set []string
	for _, name := range names {
		if _, ok := values[name]; ok {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		set = names
	}
	told.Parameter = strings.Join(set, ", ")
	if len(set) == 1 {
		told.Value, _ = valueAt(values, set)
	}
	switch {
	case told.Message != "":
	case rule != "" && strings.HasPrefix(faults[0].format, "explicit error"):
		told.Message = fmt.Sprintf("`%s` is refused", rule)
	case rule != "":
		told.Message = fmt.Sprintf("the rule `%s` is not kept", rule)
	default:
		told.Message = reason(faults, "")
	}
	return told
}

// ruleAt is the innermost rule around the fault: the parameters that it names,
// those of its conditions first, and its text.
func (s *schema) ruleAt(faults []fault) ([]string, string) {
	var names []string
	text := ""
	for _, file := range s.files {
		for _, one := range faults {
			for _, position := range one.positions {
				if position.Filename() != file.Filename || text != "" {
					continue
				}
				ast.Walk(file, func(node ast.Node) bool {
					if !within(position, node) {
						return false
					}
					switch node := node.(type) {
					case *ast.Comprehension:
						for _, clause := range node.Clauses {
							names = append(names, parametersIn(clause)...)
							text = condition(clause)
						}
					case *ast.Field:
						if _, outer := node.Value.(*ast.StructLit); !outer {
							names = append(names, parametersIn(node.Value)...)
							text = printed(node)
						}
					}
					return true
				}, nil)
			}
		}
	}
	return unique(names), text
}

// condition is the text of what a rule depends on.
func condition(clause ast.Clause) string {
	switch clause := clause.(type) {
	case *ast.IfClause:
		return "if " + printed(clause.Condition)
	case *ast.ForClause:
		return "for … in " + printed(clause.Source)
	}
	return ""
}

func within(position token.Pos, node ast.Node) bool {
	if _, whole := node.(*ast.File); whole {
		return true
	}
	start, end := node.Pos(), node.End()
	if !start.IsValid() || !end.IsValid() {
		return true
	}
	return start.Offset() <= position.Offset() && position.Offset() <= end.Offset()
}

// parametersIn are the names in `parameters.x` and `parameters["x"]`.
func parametersIn(node ast.Node) []string {
	var names []string
	ast.Walk(node, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.SelectorExpr:
			if isParameters(node.X) {
				if name, _, err := ast.LabelName(node.Sel); err == nil {
					names = append(names, name)
				}
			}
		case *ast.IndexExpr:
			if basic, ok := node.Index.(*ast.BasicLit); ok && isParameters(node.X) {
				if name, err := literal.Unquote(basic.Value); err == nil {
					names = append(names, name)
				}
			}
		}
		return true
	}, nil)
	return names
}

func isParameters(expression ast.Expr) bool {
	identifier, ok := expression.(*ast.Ident)
	return ok && identifier.Name == "parameters"
}

func printed(node ast.Node) string {
	text, err := format.Node(node)
	if err != nil {
		return ""
	}
	return short(strings.Join(strings.Fields(string(text)), " "), mostRule)
}

func short(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
