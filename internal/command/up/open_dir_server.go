package up

import (
	"fmt"
	"log/slog"
	"runtime"

	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/opener"
	"planexe/internal/port"
	"planexe/internal/web/kit"
)

// OpenDirServer opens folders of runs for a user interface in a container.
type OpenDirServer struct{}

// Help says what the command is configured by.
func (OpenDirServer) Help() string {
	help := "A user interface in a container cannot open a window on your desktop; this small server does it for it. " +
		"It opens directories of runs and nothing else, and no web page can use it.\n\n"
	for _, v := range config.Variables(config.Opener{}) {
		help += v.Name
		if v.Default != "" {
			help += " (" + v.Default + ")"
		}
		help += ": " + v.Description + "\n\n"
	}
	return help
}

// Run serves until it is told to end.
func (OpenDirServer) Run(s command.Streams) error {
	var o config.Opener
	if _, err := command.Load(&o); err != nil {
		return err
	}
	folder, err := opener.New(o.RunDir, opener.Desktop())
	if err != nil {
		return fmt.Errorf("%w: set PLANEXE_HOST_RUN_DIR to the directory that holds the runs, or start in the directory above run", err)
	}
	ln, err := port.Listen(o.Host, o.Port, "PLANEXE_OPEN_DIR_SERVER_HOST", "PLANEXE_OPEN_DIR_SERVER_PORT")
	if err != nil {
		return err
	}
	ctx, done := command.Signals(s.Err, nil)
	defer done()
	fmt.Fprintf(s.Err, "Opening folders of runs in %s, asked on http://%s\n%s", folder.Base(), ln.Addr(), reached(runtime.GOOS, o))
	handler := opener.Handler(folder, opener.Options{
		Host: o.Host, Port: o.Port, Hosts: o.Hosts, Token: string(o.Token), Log: slog.New(slog.NewTextHandler(s.Err, nil)),
	})
	return kit.Serve(ctx, ln, handler)
}

// reached says how a user interface in a container gets here.
func reached(goos string, o config.Opener) string {
	at := fmt.Sprintf("http://host.docker.internal:%d", o.Port)
	if goos != "linux" || !config.Loopback(o.Host) {
		return fmt.Sprintf("For a user interface in a container set PLANEXE_OPEN_DIR_SERVER_URL=%s\n", at)
	}
	return fmt.Sprintf("Containers on Linux cannot reach %s. For a user interface in one, set PLANEXE_OPEN_DIR_SERVER_HOST=172.17.0.1 (Docker's bridge)\n"+
		"and a PLANEXE_OPEN_DIR_SERVER_TOKEN here; and there that token and PLANEXE_OPEN_DIR_SERVER_URL=%s\n", o.Host, at)
}
