package main

import (
	"errors"
	"fmt"
	"slices"
)

// The sections of a module that are read or written, by their numbers:
// https://webassembly.github.io/spec/core/binary/modules.html
const (
	custom    = 0
	imports   = 2
	memories  = 5
	globals   = 6
	exports   = 7
	code      = 10
	data      = 11
	header    = "\x00asm\x01\x00\x00\x00"
	pageBytes = 65536
)

// Types of numbers, and the instructions that push one.
const (
	typeI32, pushI32 = 0x7f, 0x41
	typeI64, pushI64 = 0x7e, 0x42
	end              = 0x0b
)

// Runs of zeros up to this length are written out: a piece of memory of its own
// takes as much.
const gap = 64

type section struct {
	id   byte
	body []byte
}

type export struct {
	name  string
	kind  byte
	index uint64
}

// A module whose memory and globals can be taken and given.
type module struct {
	sections []section
	globals  []byte // the type of each
	exports  []export
}

// parse reads a module such as Go's linker writes: one memory, no imported one,
// and globals that are numbers and can change. Anything else is refused.
func parse(bytes []byte) (*module, error) {
	if len(bytes) < len(header) || string(bytes[:len(header)]) != header {
		return nil, errors.New("it is no WebAssembly module")
	}
	parsed := &module{}
	all := reader{bytes: bytes[len(header):]}
	for !all.done() {
		id := all.byte()
		parsed.sections = append(parsed.sections, section{id, all.take(all.number())})
	}
	for _, section := range parsed.sections {
		body := reader{bytes: section.body}
		switch section.id {
		case imports:
			parsed.onlyFunctions(&body)
		case memories:
			if count := body.number(); count != 1 {
				body.err = fmt.Errorf("it has %d memories", count)
			}
		case globals:
			parsed.readGlobals(&body)
		case exports:
			parsed.readExports(&body)
		}
		all.err = errors.Join(all.err, body.err)
	}
	return parsed, all.err
}

func (m *module) onlyFunctions(body *reader) {
	for range body.number() {
		body.take(body.number())
		body.take(body.number())
		if kind := body.byte(); kind != 0 {
			body.err = errors.New("it imports something else than functions")
			return
		}
		body.number()
	}
}

func (m *module) readGlobals(body *reader) {
	for range body.number() {
		kind, mutable, push := body.byte(), body.byte(), body.byte()
		known := kind == typeI32 && push == pushI32 || kind == typeI64 && push == pushI64
		if !known || mutable != 1 {
			body.err = fmt.Errorf("a global of type %#x", kind)
			return
		}
		body.number()
		if body.byte() != end {
			body.err = errors.New("a global that does not begin as a number")
			return
		}
		m.globals = append(m.globals, kind)
	}
}

func (m *module) readExports(body *reader) {
	for range body.number() {
		name := string(body.take(body.number()))
		m.exports = append(m.exports, export{name, body.byte(), body.number()})
	}
}

// exportName is under what a global is exported for us to read it.
func exportName(index int) string {
	return fmt.Sprintf("snapshot %d", index)
}

// exporting is the module with its globals exported.
func (m *module) exporting() []byte {
	all := slices.Clone(m.exports)
	for index := range m.globals {
		all = append(all, export{exportName(index), 3, uint64(index)})
	}
	return m.written(map[byte][]byte{exports: writtenExports(all)})
}

// with is the module that begins in the state, and exports only what is kept.
func (m *module) with(state *state, kept []string) ([]byte, error) {
	var left []export
	for _, one := range m.exports {
		if slices.Contains(kept, one.name) {
			left = append(left, one)
		}
	}
	if len(left) != len(kept) {
		return nil, fmt.Errorf("it does not export all of %v", kept)
	}
	return m.written(map[byte][]byte{
		memories: append([]byte{1, 0}, unsigned(uint64(len(state.memory)/pageBytes))...),
		globals:  m.writtenGlobals(state.globals),
		exports:  writtenExports(left),
		data:     writtenMemory(state.memory),
	}), nil
}

// written is the module with other bodies of some sections.
func (m *module) written(others map[byte][]byte) []byte {
	out := []byte(header)
	for _, section := range m.sections {
		body := section.body
		if other, ok := others[section.id]; ok {
			body = other
		}
		if section.id != custom {
			out = append(append(append(out, section.id), unsigned(uint64(len(body)))...), body...)
		}
	}
	return out
}

func writtenExports(all []export) []byte {
	out := unsigned(uint64(len(all)))
	for _, one := range all {
		out = append(append(out, unsigned(uint64(len(one.name)))...), one.name...)
		out = append(append(out, one.kind), unsigned(one.index)...)
	}
	return out
}

func (m *module) writtenGlobals(values []uint64) []byte {
	out := unsigned(uint64(len(values)))
	for index, value := range values {
		push, number := byte(pushI64), int64(value)
		if m.globals[index] == typeI32 {
			push, number = pushI32, int64(int32(uint32(value)))
		}
		out = append(out, m.globals[index], 1, push)
		out = append(append(out, signed(number)...), end)
	}
	return out
}

// writtenMemory is what is not zero, piece by piece.
func writtenMemory(memory []byte) []byte {
	var pieces []byte
	count := uint64(0)
	for start := 0; start < len(memory); {
		if memory[start] == 0 {
			start++
			continue
		}
		stop, zeros := start, 0
		for at := start; at < len(memory) && zeros <= gap; at++ {
			if memory[at] == 0 {
				zeros++
			} else {
				stop, zeros = at+1, 0
			}
		}
		pieces = append(pieces, 0, pushI32)
		pieces = append(append(pieces, signed(int64(int32(uint32(start))))...), end)
		pieces = append(append(pieces, unsigned(uint64(stop-start))...), memory[start:stop]...)
		start, count = stop, count+1
	}
	return append(unsigned(count), pieces...)
}
