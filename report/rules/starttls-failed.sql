-- starttls-failed: STARTTLS was agreed on and the TLS handshake broke.
--
-- A broken handshake (RFC 8446 section 6.2) shows nobody any mail, and a client that found the certificate wrong
-- does right to break it: suspected. A client that comes back to the server in clear within starttls-retry-ns
-- has been driven out of TLS by whoever broke it, or goes without by itself: strong.
WITH hit AS (
	SELECT s.flow, s.client, first_value(s.flow) OVER w AS best, count(*) OVER w AS sessions,
		min(s.first_ns) OVER w AS all_first_ns, max(s.last_ns) OVER w AS all_last_ns,
		first_value(s.retry) OVER w AS retry
	FROM (SELECT c.*, (SELECT r.flow FROM clear_peer AS p
				CROSS JOIN clear_session AS r
				WHERE p.client = c.client AND p.server = c.server AND r.peer = p.peer
				AND r.first_ns > c.first_ns
				AND r.first_ns <= c.last_ns
					+ (SELECT value FROM threshold WHERE name = 'starttls-retry-ns')
				AND r.proto = c.proto AND r.went_on
				AND r.transport NOT IN ('starttls-used', 'starttls-failed')
				ORDER BY r.first_ns, r.flow LIMIT 1) AS retry
			FROM clear_session AS c WHERE c.transport = 'starttls-failed') AS s
	WHERE :client IS NULL OR s.client = :client
	WINDOW w AS (PARTITION BY s.client, s.owner, s.server, s.port ORDER BY s.retry IS NULL, s.flow
		ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT 'exposure' AS class, b.client, b.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(h.retry IS NULL, 'suspected', 'strong') AS strength,
	h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, f.flow, f.frame,
	printf('%s and %s agreed on STARTTLS over %s and the TLS handshake broke%s%s%s', b.opener, b.server_text,
		b.service_text, iif(h.sessions = 1, '', printf(' in %d sessions', h.sessions)),
		iif(n.alert_in_clear, printf(', with alert %d from the %s', n.alert,
			iif(n.alert_from = 0, 'client', 'server')), ''),
		iif(h.retry IS NULL, '.', printf('; %.1f seconds later the client came back and went on in clear.',
			max(r.first_ns - b.last_ns, 0) / 1e9))) AS sentence,
	iif(h.retry IS NULL, 'The client found the certificate wrong, or the server''s TLS is out of order.',
		'Somebody at the client switched TLS off in between.') AS refuted_by, b.about
FROM hit AS h
CROSS JOIN clear_contact AS b
LEFT JOIN clear_session AS r ON r.flow = h.retry
LEFT JOIN handshake AS n ON n.flow = b.flow
CROSS JOIN flow_frame AS f
WHERE b.flow = h.best AND f.flow IN (h.flow, h.retry) AND (:from IS NULL OR h.all_last_ns >= :from);
