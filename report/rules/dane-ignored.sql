-- dane-ignored: mail went to a server although its TLSA records forbade it (RFC 7672 section 2.2).
--
-- Either in clear, where records that AD says are authentic make TLS mandatory, also when none of them is usable;
-- or on after a handshake in which the certificate matched none of them (dane-mismatch), or not the name. An MTA
-- that honours DANE does neither, one that does not know of it does both: whether the client had asked for the
-- records is said. Strong where the answer did not leave the host, so that nobody could forge its AD bit, and
-- the server's name is sure; suspected else, and where no record was usable.
WITH hit AS (
	SELECT m.*, d.server, d.question, d.answer, d.on_host, d.usable, d.outcome, s.starttls_offered,
		m.transport NOT IN ('implicit-tls', 'starttls-used') AS clear,
		d.server || '/' || d.question AS about,
		max(d.on_host AND d.sure AND d.usable > 0) OVER w AS strong, count(*) OVER w AS sessions,
		min(m.first_ns) OVER w AS all_first_ns, max(m.last_ns) OVER w AS all_last_ns
	FROM dane AS d
	CROSS JOIN mail_contact AS m ON m.flow = d.flow
	LEFT JOIN mail_session AS s ON s.flow = d.flow
	WHERE ((m.transport NOT IN ('implicit-tls', 'starttls-used', 'unknown')
			AND (m.mail_moved OR m.credential <> 'none'))
		OR (d.outcome IN ('differs', 'name-differs') AND m.completed))
		AND (:client IS NULL OR m.client = :client)
	WINDOW w AS (PARTITION BY m.client, m.owner, d.server, d.question)
)
SELECT 'policy' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(h.strong, 'strong', 'suspected') AS strength, h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow,
	iif(e.last, (SELECT last_frame FROM flow WHERE id = h.flow), h.answer) AS frame,
	printf('%s %s %s (%s) %s although %s has %s (RFC 8460: %s)%s. %s%s', host(c.address),
		iif(h.delivery, 'delivered mail to', 'used'), h.server, host(h.far), iif(h.clear, 'without TLS',
		'over TLS with a certificate that does not fit'), h.question,
		iif(h.usable > 0, printf('%d usable TLSA record%s', h.usable, iif(h.usable = 1, '', 's')),
			'TLSA records, none of them usable'),
		CASE
			WHEN h.clear AND h.usable = 0 THEN 'tlsa-invalid'
			WHEN h.clear AND NOT h.starttls_offered THEN 'starttls-not-supported'
			WHEN h.outcome = 'name-differs' THEN 'certificate-host-mismatch'
			ELSE 'validation-failure' END,
		iif(h.sessions = 1, '', printf(', %d times', h.sessions)),
		iif(EXISTS (SELECT 1 FROM tlsa_asked AS a WHERE a.name = h.question AND a.client IN (0, h.client)
			AND a.first_ns <= h.last_ns), 'The client''s host had asked for them itself.',
			'The client was not seen to ask for them.'),
		iif(h.on_host, '', ' The answer crossed the network, where its AD bit can be forged.')) AS sentence,
	'The records were changed between the look-up and the session, or the client meant another server at'
		|| ' this address.' AS refuted_by, h.about
FROM hit AS h
CROSS JOIN (SELECT 0 AS last UNION ALL SELECT 1) AS e
JOIN client AS c ON c.id = h.client
WHERE :from IS NULL OR h.all_last_ns >= :from;
