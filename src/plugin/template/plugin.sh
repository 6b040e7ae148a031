#!/bin/sh
# Answers one request of mptcpanalyzer; the protocol is in docs/plugins.md.
# The request is also in environment variables: MPTCPANALYZER_ARGUMENT_LEAST, MPTCPANALYZER_PACKETS_CSV, …
read -r hello || exit 1
echo '{"hello": {"protocol": 1, "version": "0.1.0", "features": []}}'
read -r request || exit 0  # nothing follows if only the handshake was wanted

export LC_ALL=C
awk -F, 'NR > 1 { sum[$1 " " $2] += $3 } END { for (key in sum) printf "%s %.0f\n", key, sum[key] }' \
    "$MPTCPANALYZER_PACKETS_CSV" | sort -n -k 1,1 -k 2,2 | awk '
BEGIN {
    printf "{\"table\": {\"columns\": [\"tcpstream\", \"towards\", "
    printf "{\"name\": \"payload_bytes\", \"heading\": \"payload\", \"unit\": \"bytes\"}], \"rows\": ["
}
{ printf "%s[%s,\"%s\",%s]", separator, $1, $2, $3; separator = "," }
END { print "]}}" }'
