# Sourced by ./gateway when there is no build of these sources. Uses: $root, $platform, $stamp, $cache, fail; sets: $program.
# shellcheck shell=bash

[ "$platform" = macos ] || {
    # shellcheck source=eng/linux.sh
    . "$root/eng/linux.sh"
}

require_sdk() {
    local found
    # A service at login is told where .NET lies, and need not have it in PATH.
    [ -z "${DOTNET_ROOT:-}" ] || PATH=$PATH:$DOTNET_ROOT
    command -v dotnet >/dev/null 2>&1 || fail \
        "The .NET 10 SDK is needed to build this program, and there is no 'dotnet' in PATH." \
        "Install it (https://dotnet.microsoft.com/download/dotnet/10.0), or without root: curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0, then add ~/.dotnet to PATH."
    # Run in the source tree, so that its global.json decides.
    found=$(cd "$root" && dotnet --version 2>/dev/null) || fail \
        "No .NET SDK that is here fits global.json: $(dotnet --list-sdks 2>/dev/null | cut -d' ' -f1 | paste -sd' ' || true)" \
        "Install the .NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0"
    printf '%s\n' "$found" >/dev/null
}

# Where to build: in the source tree, unless it belongs to somebody else.
choose_folder() {
    if mkdir -p "$root/artifacts/cli" 2>/dev/null && [ -w "$root/artifacts/cli" ] && [ -w "$root/artifacts" ]; then
        base=$root/artifacts/cli
        intermediate=$root/artifacts
    elif mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ]; then
        base=$cache
        intermediate=$cache/build
    else
        fail "Neither $root/artifacts nor $cache can be written to, so there is no place to build in." \
            "Make one of them writable, or set XDG_CACHE_HOME to a folder that is."
    fi
}

# Builds of other sources that nobody runs any more.
remove_old() {
    local folder
    for folder in "$base"/*/; do
        folder=${folder%/}
        case ${folder##*/} in
            "$stamp" | build | tmp.*) continue ;;
        esac
        if ! running_programs | grep -qF "$folder/"; then
            rm -rf "$folder"
        fi
    done
}

build_cli() {
    local base intermediate staging log verbose=0 word rid
    require_sdk
    choose_folder

    for word in "$@"; do
        case $word in -v | --verbose) verbose=1 ;; esac
    done

    # Whoever comes second finds it built.
    take_build_lock
    program=$base/$stamp/gateway
    if [ ! -x "$program" ]; then
        printf 'Building gateway (only when its sources have changed) ...\n' >&2
        staging=$base/tmp.$$
        log=$base/build.log
        rid=$(runtime_identifier)
        # A home that cannot be written to is no obstacle: nothing of this build is meant to stay there.
        if [ ! -w "${HOME:-/nonexistent}" ]; then
            export DOTNET_CLI_HOME=$intermediate NUGET_PACKAGES=$intermediate/nuget
        fi
        rm -rf "$staging"
        if ! publish_native "$log" "$rid" "$staging" &&
            ! publish "$log" "$rid" "$staging" --self-contained false -p:PublishReadyToRun=true &&
            ! publish "$log" "$rid" "$staging" --self-contained false -p:PublishReadyToRun=false; then
            tail -n 40 "$log" >&2
            fail "gateway cannot be built; the end of the build's output is above." "The rest is in $log."
        fi
        [ $verbose = 0 ] || cat "$log" >&2
        dotnet_root >"$staging/dotnet-root"
        sign_program "$staging/gateway"
        rm -rf "${base:?}/$stamp"
        mv "$staging" "$base/$stamp"
        remove_old
    fi
    give_build_lock
}

# Native code: no runtime to start and nothing to compile while a command runs. It takes a C compiler's linker, and packages that a mirror may lack.
publish_native() {
    command -v clang >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || return 1
    local linker=()
    command -v clang >/dev/null 2>&1 || linker=(-p:CppCompilerAndLinker=gcc)
    publish "$1" "$2" "$3" -p:PublishAot=true -p:DebugType=none "${linker[@]}" || return 1
    rm -f "$3"/*.dbg "$3"/*.pdb
    # What it consists of, which publishing leaves out: a bundle tells it.
    cp "$intermediate/bin/Gateway.Cli/release_$2/gateway.deps.json" "$3/" || :
}

# Ahead-of-time code halves the time to the first line of output; its compiler is a package that a mirror may lack.
publish() {
    local log=$1 rid=$2 out=$3
    shift 3
    # Nothing of the build is to outlive it: no MSBuild node, no compiler server.
    (cd "$root" && MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 dotnet publish src/Gateway.Cli/Gateway.Cli.csproj -c Release -r "$rid" \
        -p:ArtifactsPath="$intermediate" -p:UseSharedCompilation=false -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false -p:TreatWarningsAsErrors=false -p:GenerateDocumentationFile=false "$@" -o "$out" -nologo -v minimal) >"$log" 2>&1 </dev/null
}
