-- dane-mismatch: a mail server showed a certificate that none of its TLSA records allows (RFC 7672).
--
-- The records are those that a resolver last answered with the AD bit for _PORT._tcp.SERVER before the session;
-- without it they count for nothing (RFC 7672 section 2.2). Of DANE-EE(3) records one must match the server's own
-- certificate, whose names and dates do not matter; of DANE-TA(2) records one above it in the chain, and then the
-- name must be the server's. Other records are not for mail. TLS 1.3 and resumption show no certificate, which
-- is no finding. Strong where the answer did not leave the host, so that nobody could forge it, and the server's
-- name is sure.
WITH hit AS (
	SELECT m.*, d.server, d.question, d.answer, d.on_host, d.usable, d.outcome, d.server || '/' || d.question AS about,
		max(d.on_host AND d.sure) OVER w AS strong, count(*) OVER w AS sessions,
		sum(m.completed) OVER w AS completed_all, min(m.first_ns) OVER w AS all_first_ns,
		max(m.last_ns) OVER w AS all_last_ns, max(iif(s.alert_in_clear, s.alert, NULL)) OVER w AS any_alert,
		max(iif(s.alert_in_clear, s.alert_from, NULL)) OVER w AS any_alert_from
	FROM dane AS d
	CROSS JOIN mail_contact AS m ON m.flow = d.flow
	JOIN handshake AS s ON s.flow = d.flow
	WHERE d.outcome IN ('differs', 'name-differs') AND (:client IS NULL OR m.client = :client)
	WINDOW w AS (PARTITION BY m.client, m.owner, d.server, d.question)
)
SELECT 'policy' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(h.strong, 'strong', 'suspected') AS strength, h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow,
	iif(e.last, (SELECT frame FROM certificate WHERE flow = h.flow AND place = 0), h.answer) AS frame,
	printf('%s (%s) showed %s a certificate that %s the %d usable TLSA record%s of %s%s (RFC 8460: %s); %s.%s',
		h.server, host(h.far), host(c.address),
		iif(h.outcome = 'differs', iif(h.usable = 1, 'does not match', 'matches none of'), 'matches'),
		h.usable, iif(h.usable = 1, '', 's'), h.question,
		iif(h.outcome = 'differs', '', ' and does not have its name'),
		iif(h.outcome = 'differs', 'validation-failure', 'certificate-host-mismatch'),
		went_on(h.sessions, h.completed_all, h.any_alert, h.any_alert_from),
		iif(h.on_host, '', ' The answer crossed the network, where its AD bit can be forged.')) AS sentence,
	'The records were changed between the look-up and the session, or the client meant another server at'
		|| ' this address.' AS refuted_by, h.about
FROM hit AS h
CROSS JOIN (SELECT 0 AS last UNION ALL SELECT 1) AS e
JOIN client AS c ON c.id = h.client
WHERE :from IS NULL OR h.all_last_ns >= :from;
