"""Copy the few dist files that the pages use out of node_modules, with their licences."""

import json
import shutil
import sys
from pathlib import Path

# Where each file lies in node_modules, and its name in the vendor folder.
DIST_FILES = {
    "adaptivecards/dist/adaptivecards.min.js": "adaptivecards.min.js",
    "dompurify/dist/purify.min.js": "purify.min.js",
    "htmx.org/dist/ext/hx-sse.min.js": "ext/hx-sse.min.js",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "markdown-it/dist/browser/markdown-it.umd.min.js": "markdown-it.min.js",
}

# The packages those files are built from; markdown-it's holds the last five.
PACKAGES = (
    "adaptivecards",
    "dompurify",
    "htmx.org",
    "markdown-it",
    "entities",
    "linkify-it",
    "mdurl",
    "punycode.js",
    "uc.micro",
)


def licence(package: Path) -> str:
    """Return the name, version, licence and licence text of one installed package."""
    manifest = json.loads((package / "package.json").read_text(encoding="utf-8"))
    texts = [path.read_text(encoding="utf-8").strip() for path in sorted(package.glob("LICENSE*"))]
    head = f"{manifest['name']} {manifest['version']}: {manifest['license']}"
    return "\n\n".join([head, *texts])


def take(node_modules: Path, vendor: Path) -> None:
    """Make the vendor folder anew; the list of licences comes last and marks it as complete."""
    shutil.rmtree(vendor, ignore_errors=True)
    for source, name in DIST_FILES.items():
        target = vendor / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(node_modules / source, target)
    rule = "\n\n" + "-" * 80 + "\n\n"
    text = rule.join(licence(node_modules / package) for package in PACKAGES)
    (vendor / "LICENCES.txt").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
