package main

import "errors"

// Numbers as WebAssembly writes them, seven bits a byte, the lowest first.
type reader struct {
	bytes []byte
	err   error
}

func (r *reader) done() bool {
	return len(r.bytes) == 0 || r.err != nil
}

func (r *reader) byte() byte {
	if taken := r.take(1); len(taken) == 1 {
		return taken[0]
	}
	return 0
}

func (r *reader) take(length uint64) []byte {
	if r.err != nil || length > uint64(len(r.bytes)) {
		r.err = errors.Join(r.err, errors.New("it ends too early"))
		r.bytes = nil
		return nil
	}
	taken := r.bytes[:length]
	r.bytes = r.bytes[length:]
	return taken
}

// number reads one without a sign; of one with a sign it tells only where it ends.
func (r *reader) number() uint64 {
	for number, shift := uint64(0), 0; ; shift += 7 {
		next := r.byte()
		number |= uint64(next&0x7f) << shift
		if next < 0x80 {
			return number
		}
	}
}

func unsigned(number uint64) []byte {
	var out []byte
	for ; number >= 0x80; number >>= 7 {
		out = append(out, byte(number)|0x80)
	}
	return append(out, byte(number))
}

func signed(number int64) []byte {
	var out []byte
	for number < -0x40 || number >= 0x40 {
		out = append(out, byte(number)|0x80)
		number >>= 7
	}
	return append(out, byte(number)&0x7f)
}
