-- Zeek's smtp.log, as far as a dialogue was readable. Senders, recipients and headers of mail are not kept.
SELECT z.*, 1 AS "trans_depth:count", nullif(m.client_id, '') AS "helo:string", NULL AS "mailfrom:string",
	NULL AS "rcptto:set[string]", NULL AS "date:string", NULL AS "from:string", NULL AS "to:set[string]",
	NULL AS "cc:set[string]", NULL AS "reply_to:string", NULL AS "msg_id:string", NULL AS "in_reply_to:string",
	NULL AS "subject:string", NULL AS "x_originating_ip:addr", NULL AS "first_received:string",
	NULL AS "second_received:string", NULL AS "last_reply:string", NULL AS "path:vector[addr]",
	NULL AS "user_agent:string", m.transport IN ('starttls-used', 'implicit-tls') AS "tls:bool",
	NULL AS "fuids:vector[string]"
FROM mail_session AS m
JOIN zeek_head AS z ON z._flow = m.flow
WHERE m.proto = 'smtp'
ORDER BY z._first_ns, m.flow
