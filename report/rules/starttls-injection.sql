-- starttls-injection: bytes in clear where TLS had to begin.
--
-- STARTTLS is the last command of a group (RFC 2920) and its agreement the last answer (RFC 3207
-- section 4.2, RFC 9051 section 6.2.1): what the client's side sends in clear behind it is read by a careless
-- server as if it had come under TLS, and what the server's side sends behind the agreement by a careless
-- client. A strong sign of an attempt, or of a broken program; whether it succeeded is under TLS.
WITH hit AS (
	SELECT s.peer, min(s.flow) AS best, count(*) AS sessions, min(s.first_ns) AS all_first_ns,
		max(s.last_ns) AS all_last_ns
	FROM clear_session AS s
	WHERE s.injected AND (:client IS NULL OR s.client = :client)
	GROUP BY s.peer
)
SELECT 'exposure' AS class, b.client, b.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	'strong' AS strength,
	h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, s.flow, f.frame,
	iif(s.flow = h.best, printf('Between %s and %s over %s%s%s%s%s came in clear where TLS had to begin: an'
		|| ' attempt to inject %s, of which it cannot be seen whether it succeeded.',
		b.opener, b.server_text, b.service_text, iif(h.sessions = 1, '', printf(' in %d sessions', h.sessions)),
		iif(b.injected_by_client > 0, printf(', %d byte%s from the client', b.injected_by_client,
			iif(b.injected_by_client = 1, '', 's')), ''),
		iif(b.injected_by_client > 0 AND b.injected_by_server > 0, ' and', ''),
		iif(b.injected_by_server > 0, printf(', %d byte%s from the server', b.injected_by_server,
			iif(b.injected_by_server = 1, '', 's')), ''),
		CASE WHEN b.injected_by_server = 0 THEN 'commands'
			WHEN b.injected_by_client = 0 THEN 'answers'
			ELSE 'commands and answers' END), NULL) AS sentence,
	'The program on that side is known to send so by mistake.' AS refuted_by, b.about
FROM hit AS h
CROSS JOIN clear_contact AS b
CROSS JOIN clear_session AS s
CROSS JOIN flow_frame AS f
WHERE b.peer = h.peer AND b.flow = h.best AND s.peer = h.peer AND s.injected AND f.flow = s.flow
	AND (:from IS NULL OR h.all_last_ns >= :from);
