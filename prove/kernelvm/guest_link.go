package kernelvm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// bellDevice is the serial port that carries wake-ups.
const bellDevice = "/dev/ttyS1"

// openGuestBell opens the serial port and listens.
func openGuestBell() (*bell, error) {
	f, err := os.OpenFile(bellDevice, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w (the kernel needs SERIAL_8250 with two ports)", bellDevice, err)
	}
	fd := int(f.Fd())
	raw := unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200, Ispeed: unix.B115200, Ospeed: unix.B115200}
	raw.Cc[unix.VMIN] = 1
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &raw); err != nil {
		return nil, fmt.Errorf("set up %s: %w", bellDevice, err)
	}
	// Opened without waiting for a carrier, read with waiting.
	if err := unix.SetNonblock(fd, false); err != nil {
		return nil, fmt.Errorf("set up %s: %w", bellDevice, err)
	}
	// Every byte interrupts at once, where the driver can do so.
	_ = os.WriteFile("/sys/class/tty/ttyS1/rx_trig_bytes", []byte("1"), 0)
	b := newBell(func() { _, _ = f.Write([]byte{1}) })
	go b.listen(f)
	go b.tick(nil)
	return b, nil
}

// openGuestLink maps the memory that QEMU's ivshmem device shares with the host.
func openGuestLink() (*link, error) {
	devices, err := filepath.Glob("/sys/bus/pci/devices/*")
	if err != nil {
		return nil, fmt.Errorf("list PCI devices: %w", err)
	}
	for _, dev := range devices {
		if sysfsString(dev, "vendor") != "0x1af4" || sysfsString(dev, "device") != "0x1110" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dev, "enable"), []byte("1"), 0); err != nil {
			return nil, fmt.Errorf("enable shared memory: %w", err)
		}
		f, err := os.OpenFile(filepath.Join(dev, "resource2"), os.O_RDWR|unix.O_SYNC, 0)
		if err != nil {
			return nil, fmt.Errorf("open shared memory: %w", err)
		}
		defer f.Close()
		mem, err := unix.Mmap(int(f.Fd()), 0, linkSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return nil, fmt.Errorf("map shared memory: %w", err)
		}
		return newLink(mem), nil
	}
	return nil, fmt.Errorf("no shared memory device among %d PCI devices", len(devices))
}

func sysfsString(dir, name string) string {
	b, _ := os.ReadFile(filepath.Join(dir, name))
	return strings.TrimSpace(string(b))
}
