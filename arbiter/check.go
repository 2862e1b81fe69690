package arbiter

import (
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// Check reads the certificates and imports the application, as a worker would, and serves nothing (gunicorn's
// check_config). It logs what is wrong; the exit code is 0 or 1. It waits for the import, however long that takes; an
// interrupt ends it.
func Check(options Options) int {
	a, err := prepare(&options)
	if err == nil {
		_, err = readCertificates(options.Config)
	}
	if err != nil {
		options.Log.Error("Error: %s", err)
		return exitError
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP)
	defer signal.Stop(interrupts)
	system := newSystem(options, a.board)
	defer system.close()
	cfg := *options.Config
	cfg.PreloadApp = true // that is what a forkserver imports the application for
	link, err := system.launch(launchOrder{
		launch: 1, config: &cfg, library: options.Library, executable: options.Executable, prepared: options.Prepared,
	})
	if err != nil {
		options.Log.Error("Error: %s", err)
		return exitError
	}
	link.command(wire.Command{Command: wire.CommandBoot, Config: &cfg, Argv: options.Argv, MasterPID: a.pid})
	booted, err := awaitBoot(system.events, interrupts)
	link.close()
	patience := time.Duration(0) // for an import that goes on
	if booted {
		patience = leaveGrace // it ends what the config file has started, and itself
	}
	killer := time.AfterFunc(patience, func() { system.kill(link.pid(), unix.SIGKILL) })
	_, _ = unix.Wait4(link.pid(), nil, 0, nil)
	killer.Stop()
	if err != nil {
		options.Log.Error("%s", err)
		return exitError
	}
	return exitOK
}

// awaitBoot waits until a forkserver is ready, or says why it cannot be. It reports whether the boot is over.
func awaitBoot(events <-chan event, interrupts <-chan os.Signal) (bool, error) {
	for {
		select {
		case s := <-interrupts:
			return false, fmt.Errorf("interrupted by %s", s)
		case e := <-events:
			switch e := e.(type) {
			case serverHungUp:
				return true, fmt.Errorf("the process that imports the application has ended: %s", orNothing(e.err))
			case serverSaid:
				switch e.message.Event {
				case wire.EventReady:
					return true, nil
				case wire.EventFailed:
					return true, fmt.Errorf("%s\n%s", e.message.Error, e.message.Traceback)
				}
			}
		}
	}
}

func orNothing(err error) string {
	if err == nil {
		return "it said nothing"
	}
	return err.Error()
}
