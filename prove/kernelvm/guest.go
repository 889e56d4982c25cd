package kernelvm

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// IsGuestInit tells whether this process is the first process of a guest that
// this package booted. main must then call GuestMain before anything else. The first
// process of a PID namespace in the guest has the number 1 as well; it finds no
// configuration, as the guest's has taken that away.
func IsGuestInit() bool {
	if os.Getpid() != 1 {
		return false
	}
	_, err := os.Stat(guestConfigPath)
	return err == nil
}

// GuestMain is the guest's first process: it prepares the system, runs the
// command, reports its end to the host, and never returns.
func GuestMain() {
	g := &guest{}
	err := g.boot()
	if err == nil {
		err = g.work()
	}
	if err != nil {
		g.fail(err)
	}
	// The host ends the machine when it has read the last frame.
	time.Sleep(30 * time.Second)
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}

// guest is the state of the guest's first process.
type guest struct {
	cfg  guestConfig
	bell *bell
	link *link

	mu sync.Mutex // held while a frame is written to up
	up ringWriter
}

// boot makes the guest able to talk to the host.
func (g *guest) boot() error {
	if err := mountSystem(); err != nil {
		return err
	}
	raw, err := os.ReadFile(guestConfigPath)
	if err != nil {
		return fmt.Errorf("read guest configuration: %w", err)
	}
	if err := json.Unmarshal(raw, &g.cfg); err != nil {
		return fmt.Errorf("read guest configuration: %w", err)
	}
	if err := os.Remove(guestConfigPath); err != nil {
		return fmt.Errorf("take guest configuration away: %w", err)
	}
	if g.bell, err = openGuestBell(); err != nil {
		return err
	}
	if g.link, err = openGuestLink(); err != nil {
		return err
	}
	g.up = ringWriter{ring: g.link.up, bell: g.bell}
	go func() {
		for {
			g.link.beat.Add(1)
			time.Sleep(500 * time.Millisecond)
		}
	}()
	return g.send(frameHello, nil)
}

// work loads modules, prepares the disk, runs the command and reports its end.
func (g *guest) work() error {
	if err := loadModules(g.cfg.Modules); err != nil {
		return err
	}
	if err := prepareDisk(&g.cfg); err != nil {
		return err
	}
	code, err := g.runCommand()
	if err != nil {
		return err
	}
	if g.cfg.Out {
		if err := g.sendOut(); err != nil {
			return err
		}
	}
	return g.send(frameExit, []byte{byte(code)})
}

// fail tells the host, or the console when there is no link, what went wrong.
func (g *guest) fail(err error) {
	var unfit *hint.UnfitError
	msg := failMsg{Msg: err.Error()}
	if errors.As(err, &unfit) {
		msg.Hint = unfit.Hint
	}
	fmt.Fprintln(os.Stderr, "ext4dio guest:", msg.Msg)
	if g.link == nil {
		_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
		return
	}
	raw, _ := json.Marshal(msg) // two strings
	_ = g.send(frameFail, raw)
}

func (g *guest) send(kind frameKind, payload []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return writeFrame(&g.up, kind, payload)
}
