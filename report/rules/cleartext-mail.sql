-- cleartext-mail: a message was transferred without TLS.
--
-- RFC 8314 section 3: mail is for TLS. Message data was seen going over the wire in clear (FETCH, RETR, DATA,
-- BDAT, APPEND), in either direction. A server may deliver so on port 25 (RFC 3207 section 4: a public MX must
-- not insist on STARTTLS), which makes it legal and no less readable. Loopback is not the wire. Seen
-- directly, so it is proven whatever else was lost.
WITH hit AS (
	SELECT s.flow, s.client, s.last_frame AS frame, first_value(s.flow) OVER w AS best, count(*) OVER w AS sessions,
		min(s.first_ns) OVER w AS all_first_ns, max(s.last_ns) OVER w AS all_last_ns
	FROM clear_session AS s
	WHERE s.mail_moved AND (:client IS NULL OR s.client = :client)
	WINDOW w AS (PARTITION BY s.client, s.owner, s.server, s.port ORDER BY s.flow
		ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT 'exposure' AS class, b.client, b.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	'proven' AS strength,
	h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow, h.frame,
	printf('Mail went between %s and %s over %s without TLS%s: anyone on the path could read it.%s', b.opener,
		b.server_text, b.service_text, iif(h.sessions = 1, '', printf(' in %d sessions', h.sessions)),
		iif(b.port = 25, ' Servers may deliver so (RFC 3207 section 4).', '')) AS sentence,
	'The wire between the two is protected below IP where others could listen (VPN, WPA, MACsec).'
		AS refuted_by, b.about
FROM hit AS h
CROSS JOIN clear_contact AS b
WHERE b.flow = h.best AND (:from IS NULL OR h.all_last_ns >= :from)
ORDER BY b.client, b.owner, about, h.flow;
