"""The commands, and nothing else. Each imports what it needs when it runs: the window must not wait for the backend."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import app
from app.paths import Paths

USAGE = 2
COULD_NOT_START = 3
INTERRUPTED = 130

EXIT_CODES = """exit codes of `run`:
  0  done                      4  an action needs an approval that it may not give
  1  failed                    5  stopped by the budget
  2  wrong usage               130  interrupted
  3  could not start"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _COMMANDS[options.command](options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twinseat",
        description="A cockpit with two seats: you in the editor, the agent in the chat. Without a command it opens "
        "the window.",
    )
    parser.set_defaults(command="window")
    parser.add_argument("--version", action="version", version=f"twinseat {app.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="")

    serve = commands.add_parser("serve", help="run the backend in this terminal, for a browser or for other commands")
    serve.add_argument("--port", type=_port, help="port of the page and the API (APP_PORT)")
    serve.add_argument("--started-by-window", action="store_true", help=argparse.SUPPRESS)
    serve.set_defaults(command="serve")

    run = commands.add_parser(
        "run",
        help="give the agent one task and wait for it",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("text", help="what to do; - reads it from the standard input")
    run.add_argument("--workspace", type=Path, metavar="DIR", help="the folder to work in (the current one)")
    run.add_argument("--model", metavar="ID", help="a model's id or name (the default one)")
    run.add_argument("--budget", type=float, metavar="USD", help="stop when it has cost so much")
    run.add_argument(
        "--approve",
        choices=("never", "risky", "all"),
        default="never",
        help="never: a risky action ends it with exit code 4; risky: each is approved, and the history says so; all: "
        "nothing is asked (%(default)s)",
    )
    run.add_argument("--json", action="store_true", help="print one JSON object in place of the answer's text")
    run.set_defaults(command="run")

    demo = commands.add_parser("demo", help="watch the agent build something; needs no key")
    demo.add_argument("--terminal", action="store_true", help="follow it here, without a window")
    demo.add_argument("--json", action="store_true", help="with --terminal: print one JSON object")
    demo.set_defaults(command="demo")

    doctor = commands.add_parser("doctor", help="check every part, and say what to do about what is wrong")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(command="doctor")

    version = commands.add_parser("version", help="print the version")
    version.set_defaults(command="version")
    return parser


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return number


def _window(options: argparse.Namespace) -> int:
    from app.desktop.window import open_window

    return open_window(Paths.find())


def _serve(options: argparse.Namespace) -> int:
    from app.server.serve import serve

    return serve(port=options.port, stay=not options.started_by_window)


def _run(options: argparse.Namespace) -> int:
    from app.server.errand import Errand, run

    text = sys.stdin.read() if options.text == "-" else options.text
    if not text.strip():
        sys.stderr.write("There is nothing to do: the text is empty.\n")
        return USAGE
    folder = (options.workspace or Path.cwd()).expanduser().absolute()
    if not folder.is_dir():
        sys.stderr.write(f"There is no folder {folder}. Name an existing one with --workspace.\n")
        return USAGE
    if options.budget is not None and not options.budget > 0:
        sys.stderr.write("A budget is an amount of dollars above zero.\n")
        return USAGE
    errand = Errand(text, folder, model=options.model, budget=options.budget, approve=options.approve)
    return run(errand, Paths.find(), as_json=options.json)


def _demo(options: argparse.Namespace) -> int:
    from app.server.errand import run_demo

    code = run_demo(Paths.find(), as_json=options.json, follow=options.terminal)
    return code if options.terminal or code else _window(options)


def _doctor(options: argparse.Namespace) -> int:
    from app.doctor import check, table

    findings = check()
    if options.json:
        print(json.dumps([finding.as_json() for finding in findings], indent=2))
    else:
        print(table(findings))
    return 1 if any(finding.state == "failed" for finding in findings) else 0


def _version(options: argparse.Namespace) -> int:
    print(f"twinseat {app.__version__}")
    return 0


_COMMANDS = {
    "window": _window,
    "serve": _serve,
    "run": _run,
    "demo": _demo,
    "doctor": _doctor,
    "version": _version,
}

if __name__ == "__main__":
    sys.exit(main())
