"""`python -m steelyard` and the console script."""

import os
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and end."""
    try:
        from steelyard.cli import main as cli
        from steelyard.cli.rim import prepare_process

        prepare_process()
        cli()
    except KeyboardInterrupt:
        sys.stderr.write("stopped before anything was done\n")
        os._exit(INTERRUPTED)
    except SystemExit as end:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done: Python's own end is not to be interrupted
        if end.code == INTERRUPTED:
            os._exit(INTERRUPTED)  # Python would remember an interrupted exec() and end by the signal instead
        raise


if __name__ == "__main__":
    main()
