-- preauth: an IMAP server greeted with PREAUTH over a network.
--
-- RFC 9051 section 7.1.4: such a session is logged in from its beginning, where STARTTLS is no longer a command,
-- so that who puts this greeting on the path keeps TLS from beginning. It is meant for a server that the
-- client itself started (loopback is not the wire), or for a protected link. Strong: the server itself may
-- have been set up so.
WITH hit AS (
	SELECT s.flow, s.client, first_value(s.flow) OVER w AS best, count(*) OVER w AS sessions,
		min(s.first_ns) OVER w AS all_first_ns, max(s.last_ns) OVER w AS all_last_ns
	FROM (SELECT c.* FROM mail_session AS m
			CROSS JOIN clear_session AS c
			WHERE m.preauth AND c.flow = m.flow) AS s
	WHERE :client IS NULL OR s.client = :client
	WINDOW w AS (PARTITION BY s.client, s.owner, s.server, s.port ORDER BY s.flow
		ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT 'exposure' AS class, b.client, b.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	'strong' AS strength,
	h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow, f.frame,
	printf('%s was greeted by %s over %s with PREAUTH%s: STARTTLS is not possible then, and what follows can be'
		|| ' read.', b.opener, b.server_text, b.service_text,
		iif(h.sessions = 1, '', printf(' in %d sessions', h.sessions))) AS sentence,
	'The server is set up to greet so, and the wire is protected below IP.' AS refuted_by, b.about
FROM hit AS h
CROSS JOIN clear_contact AS b
CROSS JOIN flow_frame AS f
WHERE b.flow = h.best AND f.flow = h.flow AND (:from IS NULL OR h.all_last_ns >= :from)
ORDER BY b.client, b.owner, about, h.flow, f.frame;
