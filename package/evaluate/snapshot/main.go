// Starts CUE's program once, when it is built, and writes the program as it is
// then: whoever runs that finds Go's runtime and all of CUE's packages initialised,
// and their usual paths walked once.
//
// In: the program as Go builds it, `go run . PROGRAM.wasm STARTED.wasm`. Out: the
// same code with other memory and globals, whose one function is `evaluate`. The
// same program gives the same bytes: the clock counts, chance is a fixed sequence.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// What is called before the memory is taken: Go's own start, and ours.
var before = []string{"_initialize", "warm"}

// What the started program exports.
var kept = []string{"evaluate", "memory"}

// The variables of the program, for Go's memory: it is thrown away as a whole after
// a request, so that collecting what is no longer used pays only near the limit.
var environment = [][2]string{{"GOGC", "800"}, {"GOMEMLIMIT", "192MiB"}}

// The time at which the sandbox goes on (`STARTED` in src/host/wasi.rs), in
// nanoseconds: a clock that went back would confuse Go.
const until = int64(1e9)

func main() {
	if len(os.Args) != 3 {
		fail(errors.New("want `snapshot PROGRAM.wasm STARTED.wasm`"))
	}
	program, err := os.ReadFile(os.Args[1])
	fail(err)
	module, err := parse(program)
	fail(err)
	state, err := start(module)
	fail(err)
	started, err := module.with(state, kept)
	fail(err)
	fail(os.WriteFile(os.Args[2], started, 0o644))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The state of a program that ran.
type state struct {
	memory []byte
	// The value of each global as the 64 bits that hold it.
	globals []uint64
}

// start runs the program until it waits to be asked.
func start(module *module) (*state, error) {
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return nil, err
	}
	compiled, err := runtime.CompileModule(ctx, module.exporting())
	if err != nil {
		return nil, err
	}
	now := int64(0)
	tick := func() int64 { now += 1000; return now }
	config := wazero.NewModuleConfig().
		WithStartFunctions().
		WithStderr(os.Stderr).
		WithNanotime(tick, sys.ClockResolution(1000)).
		WithWalltime(func() (int64, int32) { now := tick(); return now / 1e9, int32(now % 1e9) }, sys.ClockResolution(1000)).
		WithNanosleep(func(ns int64) { now += ns })
	for _, variable := range environment {
		config = config.WithEnv(variable[0], variable[1])
	}
	instance, err := runtime.InstantiateModule(ctx, compiled, config)
	if err != nil {
		return nil, err
	}
	for _, name := range before {
		if _, err := instance.ExportedFunction(name).Call(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if now >= until {
		return nil, fmt.Errorf("the start took until %d ns of its clock, and the sandbox goes on at %d", now, until)
	}
	return taken(module, instance)
}

func taken(module *module, instance api.Module) (*state, error) {
	memory := instance.Memory()
	bytes, ok := memory.Read(0, memory.Size())
	if !ok {
		return nil, errors.New("the memory cannot be read")
	}
	taken := &state{memory: bytes}
	for index := range module.globals {
		taken.globals = append(taken.globals, instance.ExportedGlobal(exportName(index)).Get())
	}
	return taken, nil
}
