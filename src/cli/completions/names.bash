
# Names, where the program knows which may stand here; else what is above. Each is one line and is taken as it is.
_cdsw_gateway_with_names() {
    local name
    COMPREPLY=()
    while IFS= read -r name; do
        COMPREPLY+=("$name")
    done < <("${COMP_WORDS[0]}" complete-names "$COMP_CWORD" -- "${COMP_WORDS[@]}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -gt 0 ]] || _cdsw__gateway "$@"
}
complete -F _cdsw_gateway_with_names -o bashdefault -o default cdsw-gateway
