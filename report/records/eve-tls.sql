-- Suricata's tls event: a handshake over TCP. Its time is that of its flow's first packet.
SELECT h._first_ns AS "timestamp:time", 'tls' AS event_type, h.*,
	c.subject AS "tls.subject", c.issuer AS "tls.issuerdn",
	strftime('%Y-%m-%dT%H:%M:%S', c.not_before, 'unixepoch') AS "tls.notbefore",
	strftime('%Y-%m-%dT%H:%M:%S', c.not_after, 'unixepoch') AS "tls.notafter",
	nullif(t.sni, '') AS "tls.sni",
	CASE t.version WHEN 0 THEN NULL WHEN 0x300 THEN 'SSLv3' WHEN 0x301 THEN 'TLSv1' WHEN 0x302 THEN 'TLS 1.1'
		WHEN 0x303 THEN 'TLS 1.2' WHEN 0x304 THEN 'TLS 1.3' ELSE printf('0x%04x', t.version) END AS "tls.version",
	t.resumed AS "tls.session_resumed:bool",
	nullif(t.alpn, '') AS "tls.client_alpns:list", nullif(t.alpn_chosen, '') AS "tls.server_alpns:list",
	nullif(t.ja4, '') AS "tls.ja4",
	t.completed AS "mailwitness.completed:bool", t.after_starttls AS "mailwitness.after_starttls:bool",
	t.ech AS "mailwitness.ech:bool", nullif(lower(hex(c.sha256)), '') AS "mailwitness.certificate_sha256",
	c.chain AS "mailwitness.certificate_chain"
FROM handshake AS t
JOIN eve_head AS h ON h._flow = t.flow
LEFT JOIN certificate AS c ON c.flow = t.flow AND c.place = 0
WHERE NOT t.quic
ORDER BY h._first_ns, t.flow
