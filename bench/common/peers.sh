# Sourced by the `run` of benchmarks that need peers: a private sshd, the light SSH server. Needs
# $root, $build and `die`; makes $work, which goes when the script ends, with all that was started.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154

# Short names: a control socket's path has little room.
work=$(mktemp -d /tmp/scout-bench.XXXXXX)
fleet=$work/fleet
master='' light_pid=''

clean_up() {
    [[ -z $master ]] || ssh -F "$fleet/ssh_config" -S "$work/cm" -O exit demo1 2>/dev/null || true
    if [[ $light_pid ]]; then
        kill "$light_pid" 2>/dev/null || true
        wait "$light_pid" 2>/dev/null || true
    fi
    "$root/scripts/fleet" stop "$fleet" >/dev/null 2>&1 || true
    rm -rf "$work"
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

# The light server on N addresses from 127.9.0.1 on, with the fleet's user key: $light_pid,
# $light_port; $work/light has its ssh_config (Host light1 to lightN) and known_hosts.
start_light() { # N
    local i
    mkdir "$work/light"
    "$build/lightsshd" --authorized "$fleet/user_key.pub" --addresses "$1" --print-known-hosts \
        --stats >"$work/light/out" 2>"$work/light/log" </dev/null &
    light_pid=$!
    for ((i = 0; i < 1000; i++)); do
        ! grep -q '^ready' "$work/light/out" || break
        kill -0 "$light_pid" 2>/dev/null || die "lightsshd ended: $(cat "$work/light/log")"
        sleep 0.01
    done
    light_port=$(awk '/^listening/ { print $3; exit }' "$work/light/out")
    [[ $light_port ]] || die 'lightsshd does not listen after 10 s'
    sed -n 's/^known_hosts //p' "$work/light/out" >"$work/light/known_hosts"
    awk -v key="$fleet/user_key" -v known="$work/light/known_hosts" '/^listening/ {
        printf "Host light%d\n  HostName %s\n  Port %s\n  User light\n", ++n, $2, $3
        printf "  IdentityFile %s\n  IdentitiesOnly yes\n  UserKnownHostsFile %s\n\n", key, known
    }' "$work/light/out" >"$work/light/ssh_config"
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
