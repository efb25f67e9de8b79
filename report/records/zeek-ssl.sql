-- Zeek's ssl.log. The curve is not kept. Names of ciphers are those of the IANA registry that mail and web servers
-- choose; others are written as Zeek writes what it has no name for.
WITH suite (number, name) AS (VALUES
	(0x1301, 'TLS_AES_128_GCM_SHA256'),
	(0x1302, 'TLS_AES_256_GCM_SHA384'),
	(0x1303, 'TLS_CHACHA20_POLY1305_SHA256'),
	(0x1304, 'TLS_AES_128_CCM_SHA256'),
	(0xc02f, 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'),
	(0xc030, 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'),
	(0xc02b, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'),
	(0xc02c, 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'),
	(0xcca8, 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'),
	(0xcca9, 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'),
	(0xccaa, 'TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256'),
	(0xc027, 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256'),
	(0xc028, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384'),
	(0xc023, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256'),
	(0xc024, 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384'),
	(0xc013, 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA'),
	(0xc014, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA'),
	(0xc009, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'),
	(0xc00a, 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA'),
	(0x009e, 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256'),
	(0x009f, 'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384'),
	(0x0033, 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA'),
	(0x0039, 'TLS_DHE_RSA_WITH_AES_256_CBC_SHA'),
	(0x0067, 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA256'),
	(0x006b, 'TLS_DHE_RSA_WITH_AES_256_CBC_SHA256'),
	(0x009c, 'TLS_RSA_WITH_AES_128_GCM_SHA256'),
	(0x009d, 'TLS_RSA_WITH_AES_256_GCM_SHA384'),
	(0x002f, 'TLS_RSA_WITH_AES_128_CBC_SHA'),
	(0x0035, 'TLS_RSA_WITH_AES_256_CBC_SHA'),
	(0x003c, 'TLS_RSA_WITH_AES_128_CBC_SHA256'),
	(0x003d, 'TLS_RSA_WITH_AES_256_CBC_SHA256'),
	(0x000a, 'TLS_RSA_WITH_3DES_EDE_CBC_SHA'),
	(0x0005, 'TLS_RSA_WITH_RC4_128_SHA'),
	(0x0004, 'TLS_RSA_WITH_RC4_128_MD5'))
SELECT z.*, CASE t.version WHEN 0 THEN NULL WHEN 0x300 THEN 'SSLv3' WHEN 0x301 THEN 'TLSv10' WHEN 0x302 THEN 'TLSv11'
		WHEN 0x303 THEN 'TLSv12' WHEN 0x304 THEN 'TLSv13' ELSE printf('unknown-%d', t.version) END AS "version:string",
	iif(t.cipher = 0, NULL, coalesce((SELECT name FROM suite WHERE number = t.cipher), printf('unknown-%d', t.cipher)))
		AS "cipher:string",
	NULL AS "curve:string", nullif(t.sni, '') AS "server_name:string", t.resumed AS "resumed:bool",
	iif(t.alert_in_clear, printf('%d', t.alert), NULL) AS "last_alert:string",
	nullif(t.alpn_chosen, '') AS "next_protocol:string", t.completed AS "established:bool",
	nullif(lower(hex(c.sha256)), '') AS "cert_chain_fps:vector[string]", c.subject AS "subject:string", c.issuer AS "issuer:string",
	CASE c.chain WHEN 'trusted' THEN 'ok' WHEN 'not-judged' THEN NULL ELSE c.why END AS "validation_status:string",
	nullif(t.ja4, '') AS "ja4:string"
FROM handshake AS t
JOIN zeek_head AS z ON z._flow = t.flow
LEFT JOIN certificate AS c ON c.flow = t.flow AND c.place = 0
ORDER BY z._first_ns, t.flow
