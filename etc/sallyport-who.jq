# Who talked to an address on a day (UTC), how much, and which rule let them: one line for each session,
# from the records that rsyslog-sallyport-json.conf files. Give it the files of that day, of the one before
# and of those after; a session that goes on past midnight has its start in one and its end in another.
#
#   cd /var/log/sallyport
#   jq -nrf sallyport-who.jq --arg to 203.0.113.7 --arg day 2026-11-17 2026-11-1[6-9].json
#
# to: an address, or a name as it was asked for. Bytes are those of the whole session, "?" while it has not
# ended; of a UDP association they are for all its destinations together, and OF is how many those are.
# A million records take half a minute and two gigabytes: for more let grep -hF 203.0.113.7 choose the lines first
# (then the bytes of UDP associations are not found).

def host: sub(":[0-9]+$"; "") | ltrimstr("[") | rtrimstr("]");
def names: (.address // "" | host) == $to or (.destination // "" | host) == $to;
def began: .time[:19] + "Z" | fromdate;
def newest(name): map(select(.event == name)) | last;

($day + "T00:00:00Z" | fromdate) as $midnight
| (["FIRST", "LAST", "CLIENT", "USER", "DESTINATION", "ADDRESS", "RULE", "UP", "DOWN", "OF"] | @tsv),
  ([inputs | select(.session and (.event | startswith("session.")))
     | {session, event, time, client, user, claimed, destination, address, rule, bytes_up, bytes_down, duration}]
   | group_by(.session)
   | map(select(any(.[]; names))
      | newest("session.end") as $close
      | ($close // newest("session.update") // newest("session.start") | values) as $last
      | map(select(.event == "session.destination")) as $udp
      | ($last | began - ((.duration // 0) | floor)) as $first
      | select($first < $midnight + 86400)
      | select($close == null or ($close | began) >= $midnight)
      | (if $udp != [] then $udp[] | select(began < $midnight + 86400) else $last end)
      | select(names)
      | [($first | todate), (if $close then $close.time[:19] + "Z" else "?" end),
         .client, (.user // (.claimed | values | "(\(.))") // "-"), .destination, .address, .rule,
         ($last.bytes_up // "?"), ($last.bytes_down // "?"), ($udp | length | if . == 0 then 1 else . end)])
   | sort[] | @tsv)
