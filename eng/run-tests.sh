# Sourced by ./test: runs the test projects' own runners (xunit.v3 executables), adds up what they report, and looks for what they left behind.
# shellcheck shell=bash

passed=0 failed=0 skipped=0 failures=()

start_tests() {
    export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
    # Build servers would outlive the tests.
    export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
    # Everything that a test makes is below this folder, which is also how its processes are known. Short: there are sockets in it.
    scratch=$(mktemp -d /tmp/ovt.XXXXXX) || exit 1
    # Programs that give up their rights (dnsmasq) must find what tests give them.
    chmod 711 "$scratch"
    export TMPDIR=$scratch
    reports=$scratch/reports
    mkdir "$reports"
    # What is fuzzed notes here how many cases there were (FuzzCases.cs).
    export OPENSHELL_VM_TEST_FUZZED=$scratch/fuzzed
    trap 'rm -rf "$scratch"' EXIT
}

# A step that is not a test, but without which nothing else is true: it counts when it fails.
step() {
    local title=$1 started=$SECONDS
    shift
    printf '\n== %s\n' "$title"
    if "$@" </dev/null; then
        printf '   %s: %d s\n' "$title" $((SECONDS - started))
    else
        fail_as "$title ('$*' failed)"
        # No test can say anything about what could not be built.
        [ "$title" != build ] || finish_tests
    fi
}

fail_as() {
    failed=$((failed + 1))
    failures+=("$1")
}

is_wanted() {
    local name
    [ ${#wanted[@]} -gt 0 ] || return 0
    for name in "${wanted[@]}"; do
        [ "$name" != "$1" ] || return 0
    done
    return 1
}

# run_project NAME SECONDS [ARGUMENT...]: one runner, with a limit in which it must end, and with what it is told to run.
run_project() {
    local name=$1 limit=$2 started=$SECONDS code report
    shift 2
    is_wanted "$name" || return 0
    report=$reports/$name.xml
    printf '\n== %s\n' "$name"
    timeout --kill-after=30 "$limit" "artifacts/bin/$name/debug/$name" -noLogo -noColor -longRunning 120 -xml "$report" "$@" </dev/null
    code=$?
    if [ ! -s "$report" ]; then
        # Killed, or never got so far: the runner's output above ends with the test that ran.
        fail_as "$name: no report, exit code $code$([ $code != 124 ] || echo ", not done after $limit s")"
        return
    fi
    local p f s e
    p=$(count "$report" passed) f=$(count "$report" failed) s=$(count "$report" skipped) e=$(count "$report" errors)
    passed=$((passed + p)) failed=$((failed + f + e)) skipped=$((skipped + s))
    if [ $((f + e)) != 0 ]; then
        failures+=("$name: $f tests, $e errors outside of tests")
        local test
        while IFS= read -r test; do
            failures+=("  $test")
        done < <(failed_tests "$report")
    fi
    if [ $((f + e)) = 0 ] && [ $code != 0 ]; then
        fail_as "$name: exit code $code without a failed test"
    fi
    if [ $((p + f + s)) = 0 ]; then
        fail_as "$name: ran no test"
    fi
    printf '   %s: %d s\n' "$name" $((SECONDS - started))
    slow_classes "$report"
}

# The sum of an attribute over the <assembly> elements of a report (https://xunit.net/docs/format-xml-v2).
count() {
    grep -o '<assembly [^>]*' "$1" | grep -oE " $2=\"[0-9]+\"" | grep -oE '[0-9]+' | awk '{ sum += $1 } END { print sum + 0 }'
}

# The tests of a report that failed and what they said, so that they stand together at the end of a long log. Each <test> is a record; its message is CDATA.
failed_tests() {
    awk -v RS='<test ' '
        function unescaped(text) {
            gsub(/&quot;/, "\"", text); gsub(/&gt;/, ">", text); gsub(/&lt;/, "<", text); gsub(/&amp;/, "\\&", text)
            return text
        }
        / result="Fail"/ {
            match($0, / name="[^"]*"/)
            print unescaped(substr($0, RSTART + 7, RLENGTH - 8))
            if (at = index($0, "<message><![CDATA[")) {
                message = substr($0, at + 18)
                message = substr(message, 1, index(message, "]]>") - 1)
                lines = split(message, line, /(\r?\n|\\r?\\n)/)
                for (i = 1; i <= lines && i <= 12; i++)
                    print "    " substr(line[i], 1, 300)
            }
        }' "$1"
}

# Where the time of a report went: classes that took longer than a minute, the making of what they share counted. Tests of one runner that are run one after the other.
slow_classes() {
    awk -v RS='<test ' '/ finish-rtf="/ && / type="/ {
            match($0, / finish-rtf="[^"]*"/); end = substr($0, RSTART + 13, RLENGTH - 14)
            match($0, / start-rtf="[^"]*"/); begin = substr($0, RSTART + 12, RLENGTH - 13)
            match($0, / type="[^"]*"/); print begin, end, substr($0, RSTART + 7, RLENGTH - 8)
        }' "$1" | sort | awk '
        function seconds(text) { return substr(text, 9, 2) * 86400 + substr(text, 12, 2) * 3600 + substr(text, 15, 2) * 60 + substr(text, 18, 6) }
        NR == 1 { last = seconds($1) }
        { took = seconds($2) - last; last = seconds($2); count[$3]++; if (took > 0) sum[$3] += took }
        END { for (class in sum) if (sum[class] >= 60) printf "   %5d s  %s (%d)\n", sum[class], class, count[class] }' | sort -rn
}

# No process, socket or mount may outlive the tests.
check_nothing_is_left() {
    local process line left=()
    for process in /proc/[0-9]*; do
        [ "$process" != /proc/$$ ] || continue
        line=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline") || continue
        case $line in *"$scratch"*) left+=("process ${process#/proc/}: $line") ;; esac
    done
    # The .NET runtime's own diagnostic sockets stay behind where a test killed a program: those are not ours to count.
    while IFS= read -r line; do
        left+=("socket $line")
    done < <(find "$scratch" -type s ! -name 'dotnet-diagnostic-*' 2>/dev/null)
    while IFS= read -r line; do
        left+=("mount $line")
    done < <(grep -F "$scratch" /proc/self/mounts)
    printf '\n== leftovers\n'
    if [ ${#left[@]} = 0 ]; then
        passed=$((passed + 1))
        echo "   none"
    else
        printf '   %s\n' "${left[@]}"
        fail_as "leftovers: ${#left[@]}"
    fi
}

# Fewer cases than this prove little about a protocol that two sides speak; they are in several programs, so nobody else can add them up.
check_fuzzed() {
    local cases
    [ ${#wanted[@]} = 0 ] || return 0
    cases=$(cat "$OPENSHELL_VM_TEST_FUZZED" 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }')
    printf '\n== fuzzed\n   %d cases\n' "$cases"
    if [ "$cases" -ge 100000 ]; then
        passed=$((passed + 1))
    else
        fail_as "fuzzed: $cases cases, and there are to be 100000"
    fi
}

finish_tests() {
    echo
    if [ ${#failures[@]} -gt 0 ]; then
        printf 'failed: %s\n' "${failures[@]}"
    fi
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" = 0 ] || exit 1
    exit 0
}
