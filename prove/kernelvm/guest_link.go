package kernelvm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// bellDevice is the serial port that carries wake-ups.
const bellDevice = "/dev/ttyS1"

// counter is the waiting half of a bell.
type counter struct {
	mu   sync.Mutex
	cond *sync.Cond
	n    uint64
	err  error
}

func newCounter() *counter {
	c := &counter{}
	c.cond = sync.NewCond(&c.mu)
	return c
}

// Count tells how often hit was called.
func (c *counter) Count() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// Wait returns when Count is no longer seen, or the error given to kill.
func (c *counter) Wait(seen uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.n == seen && c.err == nil {
		c.cond.Wait()
	}
	return c.err
}

func (c *counter) hit() {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
	c.cond.Broadcast()
}

func (c *counter) kill(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.mu.Unlock()
	c.cond.Broadcast()
}

// tick makes up for a lost ring.
func (c *counter) tick(every time.Duration, stop <-chan struct{}) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			c.hit()
		case <-stop:
			return
		}
	}
}

// guestBell is the guest's bell, on a serial port.
type guestBell struct {
	*counter
	fd int
}

// openGuestBell opens the serial port and listens.
func openGuestBell() (*guestBell, error) {
	fd, err := unix.Open(bellDevice, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w (the kernel needs SERIAL_8250 with two ports)", bellDevice, err)
	}
	raw := unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200, Ispeed: unix.B115200, Ospeed: unix.B115200}
	raw.Cc[unix.VMIN] = 1
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &raw); err != nil {
		return nil, fmt.Errorf("set up %s: %w", bellDevice, err)
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		return nil, fmt.Errorf("set up %s: %w", bellDevice, err)
	}
	// Every byte interrupts at once, where the driver can do so.
	_ = os.WriteFile("/sys/class/tty/ttyS1/rx_trig_bytes", []byte("1"), 0)
	b := &guestBell{newCounter(), fd}
	go b.listen()
	go b.tick(250*time.Millisecond, nil)
	return b, nil
}

func (b *guestBell) listen() {
	var buf [256]byte
	for {
		n, err := unix.Read(b.fd, buf[:])
		if n > 0 {
			b.hit()
		} else if err != unix.EINTR {
			return // the tick goes on
		}
	}
}

// Ring wakes the host.
func (b *guestBell) Ring() { _, _ = unix.Write(b.fd, []byte{1}) }

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
