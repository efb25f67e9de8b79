-- Suricata's stats event: what was read and what is known to be lost, for the whole of the case.
SELECT (SELECT max(last_ns) FROM source) AS "timestamp:time", 'stats' AS event_type,
	(SELECT (max(last_ns) - min(first_ns)) / 1000000000 FROM source WHERE packets > 0) AS "stats.uptime",
	p.packets + d.kernel AS "stats.capture.kernel_packets", d.kernel AS "stats.capture.kernel_drops",
	p.packets AS "stats.decoder.pkts", d.lost AS "mailwitness.lost_packets", d.bytes AS "mailwitness.lost_bytes"
FROM (SELECT sum(packets) AS packets FROM source) AS p,
	(SELECT coalesce(sum(packets), 0) AS lost, coalesce(sum(bytes), 0) AS bytes,
		coalesce(sum(packets) FILTER (WHERE reason IN ('kernel', 'interface', 'recorded-by-tool')), 0) AS kernel
	FROM loss) AS d
WHERE p.packets > 0
