# fish completion for gateway. Load it with: gateway completion fish | source

function __gateway_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r "^~" "$HOME" -- $words[1])
    set -e words[1]
    for line in (command $program __complete -- $words "$current" 2>/dev/null)
        switch $line
            case :none
            case :files
                __fish_complete_path "$current"
            case :folders
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end

complete -c gateway -f -a '(__gateway_complete)'
