-- cleartext-mail: a message was transferred without TLS.
--
-- RFC 8314 section 3: mail is for TLS. Message data was seen going over the wire in clear (FETCH, RETR, DATA,
-- BDAT, APPEND), in either direction. A server may deliver so on port 25 (RFC 3207 section 4: a public MX must
-- not insist on STARTTLS), which makes it legal and no less readable. Loopback is not the wire. Seen
-- directly, so it is proven whatever else was lost.
WITH hit AS (
	SELECT s.peer, min(s.flow) AS best, count(*) AS sessions, min(s.first_ns) AS all_first_ns,
		max(s.last_ns) AS all_last_ns
	FROM clear_session AS s
	WHERE s.mail_moved AND (:client IS NULL OR s.client = :client)
	GROUP BY s.peer
)
SELECT 'exposure' AS class, b.client, b.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	'proven' AS strength,
	h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, s.flow, s.last_frame AS frame,
	iif(s.flow = h.best, printf('Mail went between %s and %s over %s without TLS%s: anyone on the path could'
		|| ' read it.%s', b.opener, b.server_text, b.service_text, iif(h.sessions = 1, '', printf(' in %d sessions', h.sessions)),
		iif(b.port = 25, ' Servers may deliver so (RFC 3207 section 4).', '')), NULL) AS sentence,
	'The wire between the two is protected below IP where others could listen (VPN, WPA, MACsec).'
		AS refuted_by, b.about
FROM hit AS h
CROSS JOIN clear_contact AS b
CROSS JOIN clear_session AS s
WHERE b.peer = h.peer AND b.flow = h.best AND s.peer = h.peer AND s.mail_moved
	AND (:from IS NULL OR h.all_last_ns >= :from);
