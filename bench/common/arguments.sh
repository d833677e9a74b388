# Sourced by the `run` of benchmarks whose arguments are --ci, --output FILE and --help. Sets $root,
# $build, $ci (empty, or 1) and $runs, and begins the list of bench_compare's arguments. Needs $name;
# $0 is the run, whose head comment is its help.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${SCOUT_BUILD:-$root/build/release}

die() {
    printf '%s: %s\n' "$name" "$*" >&2
    exit 1
}

ci='' output='' runs=7
while [[ $# -gt 0 ]]; do
    case $1 in
    --ci) ci=1 runs=2 ;;
    --output)
        [[ $# -gt 1 ]] || die '--output needs a file'
        output=$2
        shift
        ;;
    -h | --help)
        sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"
        exit 0
        ;;
    *)
        printf '%s: unknown argument %s; see --help\n' "$name" "$1" >&2
        exit 2
        ;;
    esac
    shift
done

arguments=(--name "$name" --runs "$runs")
[[ ! $ci ]] || arguments+=(--no-goals)
if [[ $output ]]; then
    mkdir -p "$(dirname "$output")"
    arguments+=(--output "$output")
fi

need_programs() {
    local program
    for program in bench_compare "$@"; do
        [[ -x $build/$program ]] || die "$build/$program is missing: build with SCOUT_BENCH=ON"
    done
}

# Adds a contestant whose words are quoted for the shell.
contestant() { # NAME WORD...
    arguments+=(--contestant "$1=$(printf '%q ' "${@:2}")")
}
