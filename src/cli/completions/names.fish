
# Names, where the program knows which may stand here, beside what is above. Each is one line and is taken as it is.
function __cdsw_gateway_names
    set -l before (commandline -opc)
    $before[1] complete-names (count $before) -- $before (commandline -ct) 2>/dev/null
end
complete -c cdsw-gateway -a '(__cdsw_gateway_names)'
