# Completion of mashbill for zsh:  eval "$(mashbill completion zsh)"  below compinit
_mashbill() {
    local line
    local -a found
    for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if (( $#found )); then
        _describe 'mashbill' found
    else
        _files
    fi
}
compdef _mashbill mashbill
