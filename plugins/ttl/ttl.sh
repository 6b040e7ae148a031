#!/bin/sh
# A command of mptcpanalyzer in POSIX shell and awk. What it needs of the request is in variables.
read -r hello || exit 1
echo '{"hello": {"protocol": 1, "version": "1.0.0", "features": []}}'
read -r request || exit 0

export LC_ALL=C
# From packets to one line for each stream, sender and value: how many, and which came first.
awk -F, -v wanted="$MPTCPANALYZER_ARGUMENT_TCPSTREAM" '
NR > 1 && (wanted == "" || $1 == wanted) {
    key = $1 " " $2 " " $3
    if (!count[key]++) first[key] = $4
}
END { for (key in count) print key, count[key], first[key] }
' "$MPTCPANALYZER_PACKETS_CSV" | sort -k 1,1n -k 2,2 -k 5,5n | awk '
BEGIN {
    printf "{\"table\": {\"columns\": [\"tcpstream\", \"sender\", \"ttl\", \"packets\", \"first\"], \"rows\": ["
}
{
    sender = $2 " on stream " $1
    if (sender == last && !told[sender]++) changed = changed (changed == "" ? "" : ", ") sender
    last = sender
    printf "%s[%s,\"%s\",%s,%s,%s]", separator, $1, $2, $3, $4, $5
    separator = ","
}
END {
    printf "]"
    if (changed != "") printf ", \"notes\": [\"more than one time to live: %s\"]", changed
    print "}}"
}'
