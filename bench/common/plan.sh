# Sourced by the `run` of benchmarks whose contestants are scenes (bench_scene). Needs peers.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154

# A plan of calls: three words for each (tool, arguments, what the answer has to have).
plan() { # NAME (TOOL ARGUMENTS HAS)...
    printf '%s\t%s\t%s\n' "${@:2}" >"$work/$1"
}

# A scene as a contestant, held to its floor: at most 1.1 times as long.
scene() { # NAME DAEMON FLOOR_MS SEED_MS PLAN OPTIONS...
    scene_only "$@"
    arguments+=(--limit "$1:to_floor=1.1")
}

# The same, held to nothing. A floor or a seed's figure of 0: there is none.
scene_only() {
    local known=()
    [[ $3 == 0 ]] || known+=(--floor-ms "$3")
    [[ $4 == 0 ]] || known+=(--seed-ms "$4")
    contestant "$1" "$build/bench_scene" --socket "$work/$2.sock" --plan "$work/$5" \
        "${known[@]}" "${@:6}"
}

# The same, held to its floor and what another scene, in which nobody waits, takes just before.
scene_after() { # NAME OTHER_DAEMON OTHER_PLAN DAEMON FLOOR_MS SEED_MS PLAN OPTIONS...
    local other own
    other=$(printf '%q ' "$build/bench_scene" --socket "$work/$2.sock" --plan "$work/$3" "${@:8}")
    own=$(printf '%q ' "$build/bench_scene" --socket "$work/$4.sock" --plan "$work/$7" \
        --floor-ms "$5" --seed-ms "$6" "${@:8}")
    arguments+=(--contestant "$1=own=\$($other) && exec $own --own-ms \"\$(echo \"\$own\" |
        sed -n 's/^ms //p')\"" --limit "$1:to_floor=1.1")
}

# The same by asyncssh: its kinds are those of asyncssh_scene.py.
asyncssh_scene() { # NAME CONFIG_NAME KIND WAVES WARMUP
    contestant "$1" /usr/bin/python3 -W ignore "$root/bench/common/asyncssh_scene.py" \
        "$work/$2/ssh_config" "$2" "$3" "$4" "$5"
}
