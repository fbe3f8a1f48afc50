package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// minimumSize is the smallest file on which mkfs.xfs makes a file system.
const minimumSize = 320 << 20

// volumes is the directory of volume files. Each operation holds the volume's
// lock, because the processes of several nodes work on the same files, and each
// may be repeated after a crash at any point.
type volumes struct{ directory string }

func (v volumes) file(name string) string {
	return filepath.Join(v.directory, name+".img")
}

// create makes the file with its file system, or keeps the one that is there.
// It returns the size, which is at least minimumSize.
func (v volumes) create(name string, size int64) (int64, error) {
	size = max(size, minimumSize)
	return size, v.locked(name, func() error {
		if _, err := os.Stat(v.file(name)); err == nil {
			return nil
		}
		partial := v.file(name) + ".partial"
		if err := os.WriteFile(partial, nil, 0o600); err != nil {
			return err
		}
		if err := os.Truncate(partial, size); err != nil {
			return err
		}
		if _, err := command("mkfs.xfs", "-q", "-f", partial); err != nil {
			return err
		}
		return os.Rename(partial, v.file(name))
	})
}

// grow enlarges the file and, where it is mounted, its file system.
func (v volumes) grow(name string, size int64) (int64, error) {
	size = max(size, minimumSize)
	return size, v.locked(name, func() error {
		file, err := os.Stat(v.file(name))
		if err != nil {
			return err
		}
		if file.Size() < size {
			if err := os.Truncate(v.file(name), size); err != nil {
				return err
			}
		}
		device, err := v.device(name)
		if err != nil || device == "" {
			return err
		}
		if _, err := command("losetup", "--set-capacity", device); err != nil {
			return err
		}
		targets, err := command("findmnt", "--noheadings", "--first-only", "--output", "TARGET", "--source", device)
		if err != nil {
			return nil // The device is not mounted; the next mount grows it.
		}
		_, err = command("xfs_growfs", targets)
		return err
	})
}

func (v volumes) remove(name string) error {
	return v.locked(name, func() error {
		err := os.Remove(v.file(name))
		os.Remove(v.lockFile(name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

// mount shows the volume at target. All mounts of a volume share one loop
// device, whose nodes these may be: two devices on one file would corrupt it.
// The device detaches itself at its last unmount, so a crash leaks none.
func (v volumes) mount(name, target string) error {
	return v.locked(name, func() error {
		if isMounted(target) {
			return nil
		}
		device, err := v.device(name)
		if err != nil {
			return err
		}
		if device == "" {
			if device, err = command("losetup", "--find", "--show", v.file(name)); err != nil {
				return err
			}
			defer command("losetup", "--detach", device)
		}
		if err := os.MkdirAll(target, 0o750); err != nil {
			return err
		}
		if _, err := command("mount", "-t", "xfs", "-o", "nouuid", device, target); err != nil {
			return err
		}
		_, err = command("xfs_growfs", target)
		return err
	})
}

func (v volumes) unmount(target string) error {
	if isMounted(target) {
		if _, err := command("umount", target); err != nil {
			return err
		}
	}
	if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// device returns the loop device of the volume, or "" where it has none.
func (v volumes) device(name string) (string, error) {
	out, err := command("losetup", "--noheadings", "--output", "NAME", "--associated", v.file(name))
	return strings.TrimSpace(strings.SplitN(out, "\n", 2)[0]), err
}

func (v volumes) lockFile(name string) string {
	return filepath.Join(v.directory, name+".lock")
}

func (v volumes) locked(name string, do func() error) error {
	lock, err := os.OpenFile(v.lockFile(name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock of volume %s: %w", name, err)
	}
	return do()
}

func isMounted(target string) bool {
	return exec.Command("mountpoint", "--quiet", target).Run() == nil
}

func command(name string, arguments ...string) (string, error) {
	out, err := exec.Command(name, arguments...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return text, fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, text)
	}
	return text, nil
}
