-- Suricata's flow event: a conversation, when it was last described. Bytes are whole frames on the wire.
SELECT h._last_ns AS "timestamp:time", 'flow' AS event_type, h.*,
	f.orig_packets AS "flow.pkts_toserver", f.resp_packets AS "flow.pkts_toclient",
	f.orig_bytes AS "flow.bytes_toserver", f.resp_bytes AS "flow.bytes_toclient",
	f.first_ns AS "flow.start:time", f.last_ns AS "flow.end:time",
	(f.last_ns - f.first_ns) / 1000000000 AS "flow.age",
	CASE WHEN f.end IN ('closed', 'reset') THEN 'closed'
		WHEN f.resp_packets > 0 THEN 'established' ELSE 'new' END AS "flow.state",
	CASE f.end WHEN 'timed-out' THEN 'timeout' WHEN 'open' THEN 'shutdown' WHEN 'evicted' THEN 'forced'
		ELSE 'unknown' END AS "flow.reason",
	EXISTS (SELECT 1 FROM finding_flow AS x WHERE x.flow = f.id) AS "flow.alerted:bool",
	f.history AS "mailwitness.history",
	f.orig_payload AS "mailwitness.payload_toserver", f.resp_payload AS "mailwitness.payload_toclient",
	f.orig_missing + f.resp_missing AS "mailwitness.missing_bytes",
	e.owner AS "mailwitness.owner", nullif(e.service, '') AS "mailwitness.service", e.role AS "mailwitness.role",
	e.named_by AS "mailwitness.named_by", e.strength AS "mailwitness.strength", nullif(e.name, '') AS "mailwitness.name"
FROM flow AS f
JOIN eve_head AS h ON h._flow = f.id
LEFT JOIN contact AS c ON c.flow = f.id
LEFT JOIN endpoint AS e ON e.id = c.endpoint
ORDER BY f.last_ns, f.id
