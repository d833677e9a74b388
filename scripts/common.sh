# Shared by the scripts, sourced: where the tree is, how to say something and how to fail.
# shellcheck shell=bash
# shellcheck disable=SC2034
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

note() { printf '== %s\n' "$*"; }

# The head comment of the script is its help.
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; }

cores() { nproc 2>/dev/null || echo 1; }

# Runs a command without address randomisation where that is allowed: some kernels randomise more
# bits than the sanitizers of older compilers can live with.
steady() {
    if setarch -R true 2>/dev/null; then
        setarch -R "$@"
    else
        "$@"
    fi
}
