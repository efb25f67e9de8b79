-- Zeek's capture_loss.log for each source: of its packets, and of those known to be lost, how many were. Zeek counts
-- gaps over acknowledgements; these are packets over packets.
SELECT s.last_ns AS "ts:time", s.last_ns - s.first_ns AS "ts_delta:interval", s.path AS "peer:string",
	l.packets AS "gaps:count", s.packets AS "acks:count",
	100.0 * l.packets / (s.packets + l.packets) AS "percent_lost:double"
FROM source AS s
JOIN (SELECT s.number, coalesce(sum(l.packets), 0) AS packets FROM source AS s
	LEFT JOIN loss AS l ON l.frame >> 40 = s.number GROUP BY s.number) AS l ON l.number = s.number
WHERE s.packets > 0
ORDER BY s.number
