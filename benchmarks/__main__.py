"""`python -m benchmarks [name ...]`: run the benchmarks, all of them without a name."""

import sys

from benchmarks import history, pipeline

BENCHMARKS = {"pipeline": pipeline.main, "history": history.main}


def main(names: list[str]) -> int:
    """Run what is asked for; return 2 for a name that is not known."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
