-- Zeek's notice.log: a finding, at the last of its packets, with the first of its flows.
SELECT x.last_ns AS "ts:time", z."uid:string", z."id.orig_h:addr", z."id.orig_p:port", z."id.resp_h:addr",
	z."id.resp_p:port", NULL AS "fuid:string", NULL AS "file_mime_type:string", NULL AS "file_desc:string",
	NULL AS "proto:enum", 'MailWitness::' || replace(x.kind, '-', '_') AS "note:enum", x.sentence AS "msg:string",
	printf('%s, %s: %s', x.class, x.strength, x.refuted_by) AS "sub:string", host(c.address) AS "src:addr",
	NULL AS "dst:addr", NULL AS "p:port", (SELECT count(*) FROM finding_flow AS w WHERE w.finding = x.id) AS "n:count",
	NULL AS "peer_descr:string", 'Notice::ACTION_LOG' AS "actions:set[enum]", NULL AS "email_dest:set[string]",
	3600000000000 AS "suppress_for:interval", NULL AS "remote_location.country_code:string",
	NULL AS "remote_location.region:string", NULL AS "remote_location.city:string",
	NULL AS "remote_location.latitude:double", NULL AS "remote_location.longitude:double"
FROM finding AS x
JOIN client AS c ON c.id = x.client
LEFT JOIN zeek_head AS z ON z._flow = (SELECT min(flow) FROM finding_flow AS w WHERE w.finding = x.id)
ORDER BY x.last_ns, x.id
