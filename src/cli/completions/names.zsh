
# Names, where the program knows which may stand here; else what is above. Each is one line and is taken as it is.
_cdsw_gateway_with_names() {
    local -a names
    names=("${(@f)$("${words[1]}" complete-names $((CURRENT - 1)) -- "${words[@]}" 2>/dev/null)}")
    if [[ -n ${names[1]} ]]; then
        compadd -a names
    else
        _cdsw-gateway "$@"
    fi
}
compdef _cdsw_gateway_with_names cdsw-gateway
