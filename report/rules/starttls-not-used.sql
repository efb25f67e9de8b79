-- starttls-not-used: the server offered STARTTLS and the client went on in clear.
--
-- RFC 8314 section 3 wants TLS wherever it can be had; the offer was in the server's list (RFC 3207 section 2,
-- RFC 9051 section 6.2.1, RFC 2595 section 4) and a login or a message followed without it. Between servers on
-- port 25 that is allowed (RFC 3207 section 4), and readable. Seen directly, so it is proven whatever else
-- was lost.
WITH hit AS (
	SELECT s.peer, min(s.flow) AS best, count(*) AS sessions, min(s.first_ns) AS all_first_ns,
		max(s.last_ns) AS all_last_ns
	FROM clear_session AS s
	WHERE s.transport = 'starttls-offered-not-used' AND (:client IS NULL OR s.client = :client)
	GROUP BY s.peer
)
SELECT 'exposure' AS class, b.client, b.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	'proven' AS strength,
	h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, s.flow, s.frame,
	iif(s.flow = h.best, printf('%s went on in clear with %s over %s%s, although STARTTLS was offered.%s', b.opener,
		b.server_text, b.service_text, iif(h.sessions = 1, '', printf(' in %d sessions', h.sessions)),
		iif(b.port = 25, ' Servers may deliver so (RFC 3207 section 4).', '')), NULL) AS sentence,
	'The wire between the two is protected below IP where others could listen (VPN, WPA, MACsec).'
		AS refuted_by, b.about
FROM hit AS h
CROSS JOIN clear_contact AS b
CROSS JOIN clear_session AS s
WHERE b.peer = h.peer AND b.flow = h.best AND s.peer = h.peer AND s.transport = 'starttls-offered-not-used'
	AND (:from IS NULL OR h.all_last_ns >= :from);
