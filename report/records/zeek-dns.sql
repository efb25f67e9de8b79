-- Zeek's dns.log: each answer that names an address, and each look-up that mail goes by. Of the flow only the
-- addresses are kept, of an answer that names an address only who asked.
SELECT n.from_ns AS "ts:time", NULL AS "uid:string", host(n.asked_by) AS "id.orig_h:addr", NULL AS "id.orig_p:port",
	NULL AS "id.resp_h:addr", NULL AS "id.resp_p:port", NULL AS "proto:enum", NULL AS "trans_id:count",
	NULL AS "rtt:interval", n.name AS "query:string", 1 AS "qclass:count", 'C_INTERNET' AS "qclass_name:string",
	NULL AS "qtype:count", CASE WHEN n.kind = 'ptr' THEN 'PTR'
		WHEN substr(n.address, 1, 12) = X'00000000000000000000FFFF' THEN 'A' ELSE 'AAAA' END AS "qtype_name:string",
	0 AS "rcode:count", 'NOERROR' AS "rcode_name:string", NULL AS "AA:bool", NULL AS "TC:bool", NULL AS "RD:bool",
	NULL AS "RA:bool", 0 AS "Z:count", iif(n.kind = 'ptr', n.name, host(n.address)) AS "answers:vector[string]",
	max(0, n.until_ns - n.from_ns) AS "TTLs:vector[interval]", 0 AS "rejected:bool"
FROM name AS n WHERE n.kind IN ('dns', 'ptr')
UNION ALL
SELECT d.time_ns, NULL, host(d.asked_by), NULL, host(d.resolver), NULL, NULL, NULL, NULL, d.name, 1, 'C_INTERNET', NULL,
	d.type, NULL, iif(d.answered, nullif(d.rcode, ''), NULL), NULL, NULL, NULL, NULL, 0, nullif(d.rdata, ''), NULL,
	d.rcode = 'REFUSED'
FROM mail_dns AS d
ORDER BY 1
