"""The five emulated vendors on a port, for as long as they are asked: `python -m bench.vendors PORT`."""

import sys

import uvicorn

from sandbox.app import create_app


def main(port: int) -> None:
    uvicorn.run(create_app(), port=port, log_config=None, access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
