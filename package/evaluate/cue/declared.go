package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"sort"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// The most characters of what is allowed that are told.
const mostAllowed = 300

var parametersPath = cue.ParsePath("parameters")

// declared is what the schema says of each parameter before any is set: its
// effect, and where it is to be described, all the rest, which takes longer.
func (s *schema) declared(describe bool) (map[string]parameter, []finding) {
	all := map[string]parameter{}
	var found []finding
	fields, err := s.root.LookupPath(parametersPath).Fields(cue.Optional(true))
	if err != nil {
		return nil, s.told(err)
	}
	for fields.Next() {
		name, value := nameOf(fields.Selector()), fields.Value()
		one := parameter{Effect: effects[len(effects)-1]}
		words := effectsOf(value)
		switch {
		case len(words) > 1:
			found = append(found, s.about(value, fmt.Sprintf("`%s` has several effects: %s", name, strings.Join(words, ", "))))
		case len(words) == 1:
			one.Effect = words[0]
		}
		if describe {
			one.Allowed, one.Description = s.allowed(value), description(value)
			if lost := lostDefaults(value); len(lost) > 0 {
				found = append(found, s.about(value, fmt.Sprintf("`%s` has no default left: %s and its other rules contradict each other", name, strings.Join(lost, ", "))))
			}
			if fields.FieldType() == cue.StringLabel {
				one.Default = concrete(value)
			}
		}
		all[name] = one
	}
	return all, found
}

// about is a finding where the value is declared.
func (s *schema) about(value cue.Value, message string) finding {
	if s.texts[value.Pos().Filename()] == "" {
		return finding{File: s.first(), Message: message}
	}
	return at(value.Pos(), message)
}

func nameOf(selector cue.Selector) string {
	return selector.Unquoted()
}

func effectsOf(value cue.Value) []string {
	var words []string
	for _, attribute := range value.Attributes(cue.FieldAttr) {
		if attribute.Name() == "effect" {
			words = append(words, strings.TrimSpace(attribute.Contents()))
		}
	}
	return unique(words)
}

// description is the comment above the field, of every file that has one.
func description(value cue.Value) string {
	var texts []string
	for _, group := range value.Doc() {
		texts = append(texts, strings.TrimSpace(group.Text()))
	}
	return strings.Join(unique(texts), "\n")
}

// concrete is the value as JSON where there is exactly one, defaults counted.
func concrete(value cue.Value) json.RawMessage {
	text, err := value.MarshalJSON()
	if err != nil {
		return nil
	}
	return text
}

// lostDefaults are those of the value's parts where the whole has none: CUE
// drops a default that another rule refuses, and two that differ.
func lostDefaults(value cue.Value) []string {
	if _, has := value.Default(); has || value.IsConcrete() {
		return nil
	}
	operator, parts := value.Expr()
	if operator != cue.AndOp {
		return nil
	}
	var lost []string
	for _, part := range parts {
		lost = append(lost, defaultsIn(part)...)
	}
	return unique(lost)
}

func defaultsIn(value cue.Value) []string {
	if operator, parts := value.Expr(); operator == cue.AndOp {
		var all []string
		for _, part := range parts {
			all = append(all, defaultsIn(part)...)
		}
		return all
	}
	if preferred, has := value.Default(); has && preferred.IncompleteKind()&cue.StructKind == 0 {
		return []string{fmt.Sprintf("the default %v", preferred)}
	}
	return nil
}

// allowed is the rule of a value in one line of CUE, without its default.
func (s *schema) allowed(value cue.Value) string {
	alternatives := s.alternatives(value)
	var texts []string
	for _, one := range alternatives {
		texts = append(texts, inOneLine(one))
	}
	text := strings.Join(unique(texts), " | ")
	if runes := []rune(text); len(runes) > mostAllowed {
		text = string(runes[:mostAllowed-1]) + "…"
	}
	return text
}

// alternatives are those among which a value may choose. A default that another
// one allows is none of its own; literals are sorted.
func (s *schema) alternatives(value cue.Value) []ast.Expr {
	expression := expressionOf(value.Eval().Syntax(cue.Raw(), cue.Docs(false), cue.Attributes(false)))
	if expression == nil {
		return []ast.Expr{ast.NewIdent("_")}
	}
	var preferred, others []ast.Expr
	for _, one := range disjuncts(expression) {
		if unary, ok := one.(*ast.UnaryExpr); ok && unary.Op == token.MUL {
			preferred = append(preferred, unary.X)
		} else {
			others = append(others, one)
		}
	}
	var own []ast.Expr
	for _, one := range preferred {
		if !slices.ContainsFunc(others, func(other ast.Expr) bool { return s.allows(other, one) }) {
			own = append(own, one)
		}
	}
	all := append(own, others...)
	if allLiterals(all) {
		sort.SliceStable(all, func(i, j int) bool { return inOneLine(all[i]) < inOneLine(all[j]) })
	}
	return all
}

// allows is whether the rule holds for the value: at a glance where it is one of
// types and bounds of numbers, which most are, else by CUE.
func (s *schema) allows(rule, value ast.Expr) bool {
	if allowed, known := glance(rule, value); known {
		return allowed
	}
	both := s.context.BuildExpr(ast.NewBinExpr(token.AND, parenthesised(rule), parenthesised(value)), cue.InferBuiltins(true))
	return both.Validate() == nil
}

// glance is whether a literal keeps the rule, and whether that can be seen.
func glance(rule, value ast.Expr) (bool, bool) {
	own, ok := value.(*ast.BasicLit)
	if !ok {
		return false, false
	}
	switch rule := rule.(type) {
	case *ast.ParenExpr:
		return glance(rule.X, value)
	case *ast.BasicLit:
		return rule.Value == own.Value, rule.Kind == own.Kind
	case *ast.Ident:
		return glanceType(rule.Name, own.Kind)
	case *ast.UnaryExpr:
		bound, ok := rule.X.(*ast.BasicLit)
		if !ok {
			return false, false
		}
		if rule.Op == token.MAT || rule.Op == token.NMAT {
			return glancePattern(rule.Op, own, bound)
		}
		return glanceBound(rule.Op, own, bound)
	case *ast.BinaryExpr:
		left, leftKnown := glance(rule.X, value)
		right, rightKnown := glance(rule.Y, value)
		return left && right, rule.Op == token.AND && leftKnown && rightKnown
	}
	return false, false
}

func glanceType(name string, kind token.Token) (bool, bool) {
	switch name {
	case "string":
		return kind == token.STRING, true
	case "bool":
		return kind == token.TRUE || kind == token.FALSE, true
	case "int":
		return kind == token.INT, true
	case "float":
		return kind == token.FLOAT, true
	case "number":
		return kind == token.INT || kind == token.FLOAT, true
	}
	return false, false
}

// glancePattern matches with the expressions that CUE itself has: those of Go.
func glancePattern(operator token.Token, value, pattern *ast.BasicLit) (bool, bool) {
	if value.Kind != token.STRING || pattern.Kind != token.STRING {
		return false, value.Kind != token.STRING
	}
	text, err := literal.Unquote(value.Value)
	if err != nil {
		return false, false
	}
	expression, err := literal.Unquote(pattern.Value)
	if err != nil {
		return false, false
	}
	matches, err := regexp.MatchString(expression, text)
	return matches == (operator == token.MAT), err == nil
}

func glanceBound(operator token.Token, value, bound *ast.BasicLit) (bool, bool) {
	// A huge exponent makes a huge number.
	if strings.ContainsAny(value.Value+bound.Value, "eEpP") {
		return false, false
	}
	a, isNumber := new(big.Rat).SetString(value.Value)
	b, isBound := new(big.Rat).SetString(bound.Value)
	if !isNumber || !isBound {
		return false, false
	}
	switch operator {
	case token.GEQ:
		return a.Cmp(b) >= 0, true
	case token.GTR:
		return a.Cmp(b) > 0, true
	case token.LEQ:
		return a.Cmp(b) <= 0, true
	case token.LSS:
		return a.Cmp(b) < 0, true
	}
	return false, false
}

func parenthesised(expression ast.Expr) ast.Expr {
	return &ast.ParenExpr{X: expression}
}

func allLiterals(all []ast.Expr) bool {
	for _, one := range all {
		if _, ok := one.(*ast.BasicLit); !ok {
			return false
		}
	}
	return true
}

// expressionOf is the expression that a printed value consists of; imports that
// it needs stand before it.
func expressionOf(node ast.Node) ast.Expr {
	switch node := node.(type) {
	case *ast.File:
		var rest []any
		for _, declaration := range node.Decls {
			switch declaration := declaration.(type) {
			case *ast.ImportDecl:
			case *ast.EmbedDecl:
				return declaration.Expr
			default:
				rest = append(rest, declaration)
			}
		}
		return ast.NewStruct(rest...)
	case ast.Expr:
		return node
	}
	return nil
}

func disjuncts(expression ast.Expr) []ast.Expr {
	switch one := expression.(type) {
	case *ast.ParenExpr:
		return disjuncts(one.X)
	case *ast.BinaryExpr:
		if one.Op == token.OR {
			return append(disjuncts(one.X), disjuncts(one.Y)...)
		}
	}
	return []ast.Expr{expression}
}

// inOneLine prints an expression; defaults further in are no part of a rule.
func inOneLine(expression ast.Expr) string {
	if text, ok := simple(expression); ok {
		return text
	}
	plain := astutil.Apply(expression, func(cursor astutil.Cursor) bool {
		if unary, ok := cursor.Node().(*ast.UnaryExpr); ok && unary.Op == token.MUL {
			cursor.Replace(unary.X)
		}
		return true
	}, nil)
	text, err := format.Node(plain, format.Simplify())
	if err != nil {
		return "_"
	}
	parts := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(parts) == 1 {
		return parts[0]
	}
	var line strings.Builder
	for _, part := range parts {
		part = strings.Join(strings.Fields(part), " ")
		said := line.String()
		switch {
		case part == "":
			continue
		case said == "" || strings.HasSuffix(said, "{") || strings.HasSuffix(said, "[") || strings.HasPrefix(part, "}") || strings.HasPrefix(part, "]"):
		case strings.HasSuffix(said, ","):
			line.WriteString(" ")
		default:
			line.WriteString(", ")
		}
		line.WriteString(part)
	}
	return line.String()
}

// simple prints what most rules consist of, as CUE's own formatter does, which
// takes ten times as long.
func simple(expression ast.Expr) (string, bool) {
	switch one := expression.(type) {
	case *ast.BasicLit:
		return one.Value, !strings.Contains(one.Value, "\n")
	case *ast.Ident:
		return one.Name, true
	case *ast.SelectorExpr:
		text, ok := simple(one.X)
		name, isName := one.Sel.(*ast.Ident)
		if !ok || !isName {
			return "", false
		}
		return text + "." + name.Name, true
	case *ast.CallExpr:
		text, ok := simple(one.Fun)
		var arguments []string
		for _, argument := range one.Args {
			text, is := simple(argument)
			arguments, ok = append(arguments, text), ok && is
		}
		return text + "(" + strings.Join(arguments, ", ") + ")", ok
	case *ast.UnaryExpr:
		text, ok := simple(one.X)
		return one.Op.String() + text, ok && one.Op != token.MUL && one.Op != token.SUB
	case *ast.BinaryExpr:
		left, leftIs := simple(one.X)
		right, rightIs := simple(one.Y)
		return left + " & " + right, one.Op == token.AND && leftIs && rightIs
	}
	return "", false
}
