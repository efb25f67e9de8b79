-- Suricata's dns event, one for each answer that names an address, and each of those that mail goes by. Which
-- ports were used is not kept.
SELECT n.from_ns AS "timestamp:time", 'dns' AS event_type, host(n.asked_by) AS src_ip, NULL AS dest_ip,
	iif(length(n.asked_by) = 16 AND substr(n.asked_by, 1, 12) = X'00000000000000000000FFFF', 4, 6) AS ip_v,
	2 AS "dns.version", 'answer' AS "dns.type", n.name AS "dns.rrname",
	CASE WHEN n.kind = 'ptr' THEN 'PTR' WHEN substr(n.address, 1, 12) = X'00000000000000000000FFFF' THEN 'A'
		ELSE 'AAAA' END AS "dns.rrtype", 'NOERROR' AS "dns.rcode",
	coalesce(nullif(n.canonical, ''), n.name) AS "dns.answers[].rrname",
	CASE WHEN n.kind = 'ptr' THEN 'PTR' WHEN substr(n.address, 1, 12) = X'00000000000000000000FFFF' THEN 'A'
		ELSE 'AAAA' END AS "dns.answers[].rrtype",
	max(0, (n.until_ns - n.from_ns) / 1000000000) AS "dns.answers[].ttl",
	iif(n.kind = 'ptr', n.name, host(n.address)) AS "dns.answers[].rdata",
	n.id & 0xffffffffff AS "mailwitness.frame", NULL AS "mailwitness.authentic:bool",
	n.id AS _id, n.place AS _place, 0 AS _mail
FROM name AS n WHERE n.kind IN ('dns', 'ptr')
UNION ALL
SELECT d.time_ns, 'dns', host(d.asked_by), host(d.resolver),
	iif(substr(d.resolver, 1, 12) = X'00000000000000000000FFFF', 4, 6),
	2, iif(d.answered, 'answer', 'query'), d.name, d.type, iif(d.answered, nullif(d.rcode, ''), NULL),
	iif(d.rdata <> '', d.name, NULL), iif(d.rdata <> '', d.type, NULL), NULL, nullif(d.rdata, ''),
	d.id & 0xffffffffff, iif(d.answered, d.authentic, NULL), d.id, d.place, 1
FROM mail_dns AS d
ORDER BY 1
