-- sts-ignored: mail for a domain that has an MTA-STS policy was delivered without TLS (RFC 8461 section 5).
--
-- The domain is that of the recipient, or the one whose MX answers led to the server. That it has a policy its
-- TXT record tells, or the user; the record hides the mode, so that it alone makes it suspected. In mode enforce
-- the user's word makes it strong where the server is known to be an MX of the domain; a server that other MX
-- answers of the domain leave out is a relay, of which the policy does not speak. Mode testing asks for reports
-- only. Deliveries alone: MTA-STS says nothing of submission, IMAP and POP3.
WITH hit AS (
	SELECT m.*, d.domain, d.mode, d.frame AS txt_frame, d.server, s.starttls_offered, d.domain AS about,
		max(d.mode = 'enforce' AND d.sure AND (d.is_mx IS 1 OR d.covered)) OVER w AS strong,
		count(*) OVER w AS sessions, min(m.first_ns) OVER w AS all_first_ns, max(m.last_ns) OVER w AS all_last_ns
	FROM sts_delivery AS d
	CROSS JOIN mail_contact AS m ON m.flow = d.flow
	LEFT JOIN mail_session AS s ON s.flow = d.flow
	WHERE d.mode <> 'none' AND (d.is_mx IS NOT 0 OR d.covered)
		AND m.transport NOT IN ('implicit-tls', 'starttls-used', 'unknown') AND m.mail_moved
		AND (:client IS NULL OR m.client = :client)
	WINDOW w AS (PARTITION BY m.client, m.owner, d.domain)
)
SELECT 'policy' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(h.strong, 'strong', 'suspected') AS strength, h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow,
	iif(e.last OR h.txt_frame = 0, (SELECT last_frame FROM flow WHERE id = h.flow), h.txt_frame) AS frame,
	printf('%s delivered mail for %s to %s without TLS%s; %s (RFC 8460: %s).', host(c.address), h.domain,
		iif(h.server <> '', h.server || ' (' || host(h.far) || ')', host(h.far)),
		iif(h.sessions = 1, '', printf(' %d times', h.sessions)),
		CASE h.mode
			WHEN 'enforce' THEN 'the domain''s MTA-STS policy, in mode enforce, forbids that'
			WHEN 'testing' THEN 'the domain''s MTA-STS policy, in mode testing, asks only that it be reported'
			ELSE 'the domain has an MTA-STS policy, whose mode was not seen' END,
		iif(h.starttls_offered, 'validation-failure', 'starttls-not-supported')) AS sentence,
	'The server is a relay of the client''s, not an MX of ' || h.domain || ', or the policy is in another mode.'
		AS refuted_by, h.about
FROM hit AS h
CROSS JOIN (SELECT 0 AS last UNION ALL SELECT 1) AS e
JOIN client AS c ON c.id = h.client
WHERE :from IS NULL OR h.all_last_ns >= :from;
