"""The gateway with a commit of its own for each report: `python -m bench.ungrouped serve --config FILE`.

All else is as it is served: what it takes longer is what committing together saves."""

from gateway.cli import main
from journal import writer

if __name__ == "__main__":
    writer.TOGETHER = 1
    main()
