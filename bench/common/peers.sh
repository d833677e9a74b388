# Sourced by the `run` of benchmarks that need peers: a private sshd, the light SSH server. Needs
# $root, $build and `die`; makes $work, which goes when the script ends, with all that was started.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154

# Short names: a control socket's path has little room.
work=$(mktemp -d /tmp/scout-bench.XXXXXX)
fleet=$work/fleet
master='' shared='' light_pid='' daemon_pid='' started=()

clean_up() {
    [[ -z $master ]] || ssh -F "$fleet/ssh_config" -S "$work/cm" -O exit demo1 2>/dev/null || true
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    "$root/scripts/fleet" stop "$fleet" >/dev/null 2>&1 || true
    rm -rf "$work" ${shared:+"$shared"}
}
trap clean_up EXIT

# One real sshd: $sshd_pid, $sshd_port. The host's shell gets an empty home: what this machine's
# ~/.bashrc does is no cost of ssh. Arguments: further -o KEY=VALUE of scripts/fleet.
start_sshd() {
    mkdir "$work/home"
    "$root/scripts/fleet" start -o "SetEnv=HOME=$work/home" "$@" "$fleet" 1 >/dev/null
    read -r sshd_pid _ <"$fleet/hosts/demo1/process"
    sshd_port=$(cat "$fleet/hosts/demo1/port")
}

start_master() {
    ssh -F "$fleet/ssh_config" -o BatchMode=yes -M -S "$work/cm" -N -f demo1
    master=$(ssh -F "$fleet/ssh_config" -S "$work/cm" -O check demo1 2>&1 | tr -dc '0-9')
    [[ $master ]] || die 'the control master does not run'
}

# A light server, NAME, on N addresses from 127.9.0.1 on, with the fleet's user key: $light_pid,
# $light_port; $work/NAME has its ssh_config (Host NAME1 to NAMEN) and known_hosts. OPTIONS are its
# own (lightsshd --help).
start_light_as() { # NAME N OPTIONS...
    local i at=$work/$1
    mkdir "$at"
    : >"$at/out"
    "$build/lightsshd" --authorized "$fleet/user_key.pub" --addresses "$2" --print-known-hosts \
        --stats "${@:3}" >"$at/out" 2>"$at/log" </dev/null &
    light_pid=$!
    started+=("$light_pid")
    for ((i = 0; i < 1000; i++)); do
        ! grep -q '^ready' "$at/out" || break
        kill -0 "$light_pid" 2>/dev/null || die "lightsshd ended: $(cat "$at/log")"
        sleep 0.01
    done
    light_port=$(awk '/^listening/ { print $3; exit }' "$at/out")
    [[ $light_port ]] || die 'lightsshd does not listen after 10 s'
    sed -n 's/^known_hosts //p' "$at/out" >"$at/known_hosts"
    awk -v name="$1" -v key="$fleet/user_key" -v known="$at/known_hosts" '/^listening/ {
        printf "Host %s%d\n  HostName %s\n  Port %s\n  User light\n", name, ++n, $2, $3
        printf "  IdentityFile %s\n  IdentitiesOnly yes\n  UserKnownHostsFile %s\n\n", key, known
    }' "$at/out" >"$at/ssh_config"
}
start_light() { start_light_as light "$1"; } # N

# A daemon, NAME, with that configuration: $daemon_pid; its socket is $work/NAME.sock. Its audit log
# is in memory, where there is room for that: what the disk needs is no part of what is measured.
start_daemon() { # NAME SSH_CONFIG CONFIGURATION
    local i
    [[ $shared || ! -w /dev/shm ]] || shared=$(mktemp -d /dev/shm/scout-bench.XXXXXX)
    printf '%s\n' "$3" >"$work/$1.conf"
    HOME=$work "$build/scoutd" --socket "$work/$1.sock" --state "${shared:-$work}/$1.state" \
        --config "$work/$1.conf" --ssh-config "$2" >"$work/$1.log" 2>&1 </dev/null &
    daemon_pid=$!
    started+=("$daemon_pid")
    for ((i = 0; i < 1000; i++)); do
        [[ ! -S $work/$1.sock ]] || return 0
        kill -0 "$daemon_pid" 2>/dev/null || die "scoutd ended: $(tail -n 1 "$work/$1.log")"
        sleep 0.01
    done
    die 'scoutd does not listen after 10 s'
}

# A delay of D ms for each round trip in front of the real sshd: $proxy_port.
start_proxy() { # D
    local i
    : >"$work/proxy$1"
    "$build/tcpproxy" --to "127.0.0.1:$sshd_port" --delay-ms "$1" >"$work/proxy$1" 2>&1 \
        < <(sleep infinity) &
    started+=($!)
    for ((i = 0; i < 1000; i++)); do
        proxy_port=$(awk '/^listening/ { print $3; exit }' "$work/proxy$1")
        [[ ! $proxy_port ]] || return 0
        sleep 0.01
    done
    die 'tcpproxy does not listen after 10 s'
}

has_asyncssh() { /usr/bin/python3 -W ignore -c 'import asyncssh' 2>/dev/null; }
asyncssh_version() { /usr/bin/python3 -W ignore -c 'import asyncssh; print(asyncssh.__version__)'; }

# Where the pool's programs connect to: the real sshd, or the light server's first address.
sshd_target() {
    printf '%q ' --address 127.0.0.1 --port "$sshd_port" --user "$(id -un)" \
        --identity "$fleet/user_key" --known-hosts "$fleet/known_hosts"
}
light_target() {
    printf '%q ' --address 127.9.0.1 --port "$light_port" --user light \
        --identity "$fleet/user_key" --known-hosts "$work/light/known_hosts"
}

# What the light server has in a file of N bytes.
light_content() { # N
    awk -v n="$1" 'BEGIN { for (i = 0; i * 16 < n; i++) printf "%015x\n", i }' | head -c "$1"
}
