# Sourced by ./gateway's build on Linux: what eng/macos.sh is there.
# shellcheck shell=bash

# Whoever comes second waits here. Descriptor 9 holds the lock.
take_build_lock() {
    exec 9>"$base/lock"
    flock 9
}

give_build_lock() {
    exec 9>&-
}

running_programs() {
    # Processes of others cannot be read, and whoever reads this may stop early: neither is a failure.
    readlink /proc/[0-9]*/exe 2>/dev/null || :
}

runtime_identifier() {
    printf 'linux-%s\n' "$(uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')"
}

dotnet_root() {
    dirname "$(readlink -f "$(command -v dotnet)")"
}

sign_program() {
    :
}
