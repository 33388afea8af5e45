#!/bin/bash
# Completion as bash would ask for it.
#
#     completion.bash VCUBE SCRIPT SAMPLES
set -u
vcube=$1 script=$2 samples=$3 failed=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$vcube" load -q -d "$folder/data" "$samples/golden" >/dev/null || exit 1
# shellcheck source=/dev/null
source "$script" || exit 1
complete -p vcube >/dev/null || { echo "the script completes no vcube"; exit 1; }

# expect 'WHAT IS THERE' WORDS... -- LINE...: the last word of LINE is under the cursor
expect() {
    local expected=() got
    while [ "$1" != -- ]; do expected+=("$1"); shift; done
    shift
    COMP_WORDS=("$vcube" "$@") COMP_CWORD=$#
    COMP_LINE="vcube $*" COMP_POINT=${#COMP_LINE}
    _vcube
    got="${COMPREPLY[*]-}"
    [ "$got" = "${expected[*]-}" ] && return
    failed=1
    printf 'vcube %s\n  expected: %s\n  found:    %s\n' "$*" "${expected[*]-}" "$got"
}

cd "$folder" || exit 1
echo '{}' >one.json
mkdir folder
expect describe -- des
expect coverage compact -- co
expect --help --version -- --
expect verify -- help veri
# every option of --help, of every command, and nothing else
for command in $("$vcube" help --words); do
    # shellcheck disable=SC2046
    expect $("$vcube" "$command" --help | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' |
        sort -u) -- "$command" --
done
expect --max-rejects -- load --max-r
expect data folder -- ls -d ''
expect data -- ls --dir da
expect folder -- load -d data --append --max-rejects 3 fo
expect one.json -- load -d data one
expect folder -- backup -d data fo
expect cities -- describe -d data ci
expect golden_fanout golden_full -- query --drilldown country -d data golden_f
expect golden_inner -- query -d data golden_inn
expect golden_inner -- query --dir = data golden_inn
expect '' -- query -d data golden_inner gol
expect golden_raw_left golden_right -- compact -d data golden_full golden_r
expect '' -- query -d /nonexistent ''
expect country -- members -d data golden_full ''
expect pop -- query -d data golden_full --measures po
expect pop,cpop -- query -d data golden_full --measures pop,cp
expect jsonstat -- query -d data --format js
expect definition -- suggest -d data --format d
expect all visible -- query --totals-scope ''
expect true -- query --sparse t
expect false -- query --sparse = f
expect create -- token cr
expect one.json -- serve --config one
exit $failed
