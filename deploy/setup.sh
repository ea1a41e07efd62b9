#!/bin/sh
# Make .venv and install the pinned packages: `deploy/setup.sh requirements.txt`. Does nothing when nothing changed.
# Several may run at once: they wait for each other where the system has flock.
set -eu
cd "$(dirname "$0")/.."
requirements=$1
stamp=".venv/.installed-$requirements"
uv="uv==0.13.9" # installs the packages in 10 seconds instead of 60

find_python() {
    for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "No Python 3.11 or newer with its venv module was found. Install one (on Debian and Ubuntu:" \
        "apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3" >&2
    exit 1
}

wanted() {
    cat requirements.txt "$requirements" | cksum
    .venv/bin/python --version
}

is_ready() {
    [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted 2>&1)" ]
}

if is_ready; then exit 0; fi
if [ "${SETUP_LOCKED:-}" != 1 ] && command -v flock >/dev/null; then
    SETUP_LOCKED=1 exec flock deploy/setup.sh "$0" "$@"
fi

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version) ..."
    rm -rf .venv
    "$python" -m venv .venv
fi
echo "Installing the packages of $requirements ..."
if .venv/bin/python -m pip install --quiet --disable-pip-version-check "$uv" &&
    .venv/bin/uv pip install --quiet --python .venv/bin/python -r "$requirements"; then
    :
else
    echo "uv could not install them; trying pip, which takes a minute or two ..." >&2
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$requirements"
fi
wanted >"$stamp"
