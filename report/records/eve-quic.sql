-- Suricata's quic event: a ClientHello in QUIC Initials. Its time is that of its flow's first packet.
SELECT h._first_ns AS "timestamp:time", 'quic' AS event_type, h.*,
	CASE t.quic_version WHEN 1 THEN '1' WHEN 0x6b3343cf THEN '2' ELSE printf('0x%08x', t.quic_version) END
		AS "quic.version",
	nullif(t.sni, '') AS "quic.sni", nullif(t.ja4, '') AS "quic.ja4", t.ech AS "mailwitness.ech:bool"
FROM handshake AS t
JOIN eve_head AS h ON h._flow = t.flow
WHERE t.quic
ORDER BY h._first_ns, t.flow
