package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// The largest exponent of ten that a number may be written with, and the smallest
// without its sign: those of a float. CUE reads what has a larger one than 100000
// as 1, and says nothing.
const mostExponent = 308

// numbers refuses literals of a file that are too large or too small.
func numbers(file *ast.File) []finding {
	var found []finding
	ast.Walk(file, func(node ast.Node) bool {
		number, ok := node.(*ast.BasicLit)
		if ok && (number.Kind == token.INT || number.Kind == token.FLOAT) && !fitting(number.Value) {
			found = append(found, at(number.Pos(), fmt.Sprintf("`%s` is no number that can be used: want an exponent from -%d to %d", number.Value, mostExponent, mostExponent)))
		}
		return true
	}, nil)
	return found
}

// fitting is whether the exponent of the literal is in bounds, if it has one.
func fitting(literal string) bool {
	_, exponent, has := strings.Cut(strings.ToLower(literal), "e")
	if !has || strings.HasPrefix(literal, "0x") || strings.HasPrefix(literal, "0X") {
		return true
	}
	power, err := strconv.Atoi(strings.ReplaceAll(exponent, "_", ""))
	return err == nil && -mostExponent <= power && power <= mostExponent
}

// unfit is what is wrong with a value in force whose JSON has a number that who
// reads it has no room for, and would change.
func unfit(value cue.Value, text []byte) string {
	if !suspicious(text) {
		return ""
	}
	const wanted = "want a whole number from -9223372036854775808 to 18446744073709551615"
	if value.Kind() == cue.IntKind {
		if !whole(string(text)) {
			return wanted
		}
		return ""
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return ""
		}
		number, ok := token.(json.Number)
		if !ok {
			continue
		}
		if _, err := number.Float64(); err != nil {
			return fmt.Sprintf("want numbers below 1e%d", mostExponent)
		}
		if !strings.ContainsAny(number.String(), ".eE") && !whole(number.String()) {
			return wanted
		}
	}
}

// suspicious is whether the JSON has a number of 19 digits, or one with an exponent.
func suspicious(text []byte) bool {
	digits := 0
	for _, char := range text {
		if char == 'E' {
			return true
		}
		if '0' <= char && char <= '9' {
			digits++
		} else {
			digits = 0
		}
		if digits == 19 {
			return true
		}
	}
	return false
}

// whole is whether the number is one of 64 bits.
func whole(number string) bool {
	_, signed := strconv.ParseInt(number, 10, 64)
	_, unsigned := strconv.ParseUint(number, 10, 64)
	return signed == nil || unsigned == nil
}
