# bash completion for gateway. Load it with: source <(gateway completion bash)

_gateway_complete() {
    local -a words=()
    local line=$COMP_LINE rest word i last cur before value kind=:none

    # Bash breaks words at = and : too; what stands together in the line belongs together.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        rest=${line#"${line%%[![:blank:]]*}"}
        last=$((${#words[@]} - 1))
        if ((i > 0)) && [[ -n $word && $rest == "$line" ]]; then
            words[last]+=$word
        else
            words+=("$word")
        fi
        line=${rest#"$word"}
    done
    cur=${words[${#words[@]} - 1]}

    # Of a word that bash has broken, only its last part is replaced.
    before=
    [[ $cur == *=* && $COMP_WORDBREAKS == *=* ]] && before=${cur%"${cur##*=}"}
    [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]] && before=${cur%"${cur##*[=:]}"}

    COMPREPLY=()
    word=${words[0]/#\~/$HOME}
    while IFS=$'\t' read -r value _; do
        case $value in
            :none | :files | :folders) kind=$value ;;
            *) COMPREPLY+=("${value#"$before"}") ;;
        esac
    done < <("$word" __complete -- "${words[@]:1}" 2>/dev/null)

    # As names of files they would get a backslash before the colon.
    if ((${#COMPREPLY[@]} == 0)); then
        [[ $kind == :none ]] || compopt -o filenames 2>/dev/null
    elif [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *: ]]; then
        compopt -o nospace 2>/dev/null
    fi
    [[ $cur == -*=* ]] && cur=${cur#*=}
    case $kind in
        :files)
            while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$cur")
            ;;
        :folders)
            while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "$cur")
            ;;
    esac
    return 0
}

complete -F _gateway_complete gateway
