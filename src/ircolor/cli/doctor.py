"""`ircolor doctor`: what is installed, what this machine has, and whether all works."""

from typing import Annotated, Any

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print all as JSON.")] = False,
) -> None:
    """Examine the installation and the machine, and name what is wrong.

    Versions, cores, memory, devices and which of them auto takes, video,
    the bundled networks (each colorizes a tiny scene), cameras. Send the
    output along when you report a problem.

    [bold]Examples[/bold]

      ircolor doctor

      ircolor doctor --json > doctor.json

    Exit status: 0 all good, 1 there are problems (listed at the end, each with its mend).
    """
    from ircolor.doctor import examine

    findings = examine()
    problems = [problem for finding in findings.values() for problem in finding.problems]
    if as_json:
        import json

        print(json.dumps({topic: found.facts for topic, found in findings.items()} | {"problems": problems}, indent=2))
    else:
        for topic, finding in findings.items():
            print(topic)
            _print_facts(finding.facts, indent=2)
        print("\n".join(f"problem: {problem}" for problem in problems) or "all good")
    if problems:
        raise typer.Exit(1)


def _print_facts(facts: dict[str, Any], indent: int) -> None:
    for name, value in facts.items():
        if isinstance(value, dict):
            print(f"{'':{indent}}{name}")
            _print_facts(value, indent + 2)
        elif name.endswith("_bytes") and value is not None:
            print(f"{'':{indent}}{name.removesuffix('_bytes')}: {value / 1e9:.1f} GB")
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else value
            print(f"{'':{indent}}{name.removesuffix('_bytes')}: {text or 'none'}")
