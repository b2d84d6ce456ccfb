#compdef gateway
# zsh completion for gateway. Load it with: source <(gateway completion zsh), behind compinit; or save it as _gateway in a folder of fpath.

_gateway() {
    local line kind=:none
    local -a values open
    local program=${~words[1]}

    for line in "${(@f)$("$program" __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        case $line in
            (:none|:files|:folders) kind=$line ;;
            (*:) open+=("$line") ;;
            (*$'\t'*) values+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
            (?*) values+=("${line//:/\\:}") ;;
        esac
    done

    (( $#values )) && _describe gateway values
    (( $#open )) && compadd -S '' -a open
    case $kind in
        (:files) compset -P '-*='; _files ;;
        (:folders) compset -P '-*='; _files -/ ;;
    esac
}

if [[ $funcstack[1] == _gateway ]]; then
    _gateway "$@"
else
    compdef _gateway gateway
fi
