# Sourced by ./gateway on macOS, which has BSD's tools and bash 3.2. By their manuals; not run yet on a Mac.
# shellcheck shell=bash

# As ./gateway's on Linux: BSD's find cannot print sizes and times itself. The system's own tools, whatever else is in PATH.
print_sources() {
    /usr/bin/find "$@" \( -name bin -o -name obj \) -prune -o -type f -exec /usr/bin/stat -f '%N %z %Fm' {} +
}

hash_of() {
    /usr/bin/shasum -a 256
}

# There is no flock(1): shlock keeps a lock in a file that names its holder, and takes it over when that is dead.
take_build_lock() {
    until /usr/bin/shlock -p $$ -f "$base/lock.pid"; do
        sleep 0.2
    done
}

give_build_lock() {
    rm -f "$base/lock.pid"
}

# There is no /proc.
running_programs() {
    ps -axo command= || :
}

runtime_identifier() {
    printf 'osx-%s\n' "$(uname -m | sed 's/x86_64/x64/')"
}

# Homebrew's dotnet is a script elsewhere than the runtime: ask where that is.
dotnet_root() {
    dotnet --list-runtimes | sed -n 's,^Microsoft\.NETCore\.App 10\..* \[\(.*\)/shared/Microsoft\.NETCore\.App\]$,\1,p' | tail -n 1
}

# Hypervisor.framework is only for programs that are signed to use it; a signature without an identity is enough on the Mac that made it.
sign_program() {
    codesign --force --sign - --entitlements "$root/eng/macos/gateway.entitlements" "$1" 2>>"$log" || fail \
        "gateway cannot be signed, and may not use Hypervisor.framework without: see $log." \
        "Install Apple's command line tools: xcode-select --install"
}

# libkrun opens libkrunfw by its bare name, which dyld looks for in these folders last. The variable is only honoured when it is there as a program starts.
export_library_path() {
    local folder
    for folder in "${OPENSHELL_VM_RUNTIME_DIR:-}" "${XDG_CACHE_HOME:-$HOME/.cache}/openshell-vm/runtime" /opt/homebrew/lib /opt/homebrew/opt/libkrunfw/lib /usr/local/lib /usr/lib; do
        [ -z "$folder" ] || DYLD_FALLBACK_LIBRARY_PATH=${DYLD_FALLBACK_LIBRARY_PATH:+$DYLD_FALLBACK_LIBRARY_PATH:}$folder
    done
    export DYLD_FALLBACK_LIBRARY_PATH
}
