# Who talked to an address on a day (UTC), how much, and which rule let them: one line for each session,
# from the records that rsyslog-sallyport-json.conf files. Give it the files of that day, of the one before
# and of those after; a session that goes on past midnight has its start in one and its end in another.
#
#   cd /var/log/sallyport
#   jq -nrf sallyport-who.jq --arg to 203.0.113.7 --arg day 2026-11-17 2026-11-1[6-9].json
#
# to: an address, or a name as it was asked for. Bytes are those of the whole session, "?" while it has not
# ended; of a UDP association they are for all its destinations together, and OF is how many those are.
# For days with many millions of records let grep -hF 203.0.113.7 choose the lines first (of UDP it finds no bytes).

def host: sub(":[0-9]+$"; "") | ltrimstr("[") | rtrimstr("]");
def names: (.address // "" | host) == $to or (.destination // "" | host) == $to;
def began: .time[:19] + "Z" | fromdate;

reduce (inputs | select(.session)) as $r ({};
    if $r.event == "session.destination" then
        .[$r.session].destinations += [$r]
    elif $r.event == "session.start" or $r.event == "session.update" or $r.event == "session.end" then
        .[$r.session] += {($r.event): $r}
    else . end)
| ($day + "T00:00:00Z" | fromdate) as $midnight
| (["FIRST", "LAST", "CLIENT", "USER", "DESTINATION", "ADDRESS", "RULE", "UP", "DOWN", "OF"] | @tsv),
  (to_entries | map(.value
      | .destinations as $udp
      | (."session.end" // ."session.update" // ."session.start") as $last
      | select($last)
      | ($last | began - ((.duration // 0) | floor)) as $first
      | select($first < $midnight + 86400)
      | select(."session.end" == null or ($last | began) >= $midnight)
      | (if $udp then $udp[] | select(began < $midnight + 86400) else $last end)
      | select(names)
      | [($first | todate), (if $last.event == "session.end" then $last.time[:19] + "Z" else "?" end),
         .client, (.user // (.claimed | values | "(\(.))") // "-"), .destination, .address, .rule,
         ($last.bytes_up // "?"), ($last.bytes_down // "?"), (if $udp then $udp | length else 1 end)])
   | sort[] | @tsv)
