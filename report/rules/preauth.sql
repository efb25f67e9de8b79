-- preauth: an IMAP server greeted with PREAUTH over a network.
--
-- RFC 9051 section 7.1.4: such a session is logged in from its beginning, where STARTTLS is no longer a command,
-- so that who puts this greeting on the path keeps TLS from beginning. It is meant for a server that the
-- client itself started (loopback is not the wire), or for a protected link. Strong: the server itself may
-- have been set up so.
WITH hit AS (
	SELECT s.peer, min(s.flow) AS best, count(*) AS sessions, min(s.first_ns) AS all_first_ns,
		max(s.last_ns) AS all_last_ns
	FROM clear_session AS s
	WHERE s.preauth AND (:client IS NULL OR s.client = :client)
	GROUP BY s.peer
)
SELECT 'exposure' AS class, b.client, b.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	'strong' AS strength,
	h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, s.flow, f.frame,
	iif(s.flow = h.best, printf('%s was greeted by %s over %s with PREAUTH%s: STARTTLS is not possible then, and'
		|| ' what follows can be read.', b.opener, b.server_text, b.service_text,
		iif(h.sessions = 1, '', printf(' in %d sessions', h.sessions))), NULL) AS sentence,
	'The server is set up to greet so, and the wire is protected below IP.' AS refuted_by, b.about
FROM hit AS h
CROSS JOIN clear_contact AS b
CROSS JOIN clear_session AS s
CROSS JOIN flow_frame AS f
WHERE b.peer = h.peer AND b.flow = h.best AND s.peer = h.peer AND s.preauth AND f.flow = s.flow
	AND (:from IS NULL OR h.all_last_ns >= :from);
