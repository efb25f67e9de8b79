-- sts-mx-mismatch: mail for a domain was delivered to an MX that its MTA-STS policy does not list (RFC 8461
-- section 4.1).
--
-- The policy is the user's word: packets do not show it. The server is one that the domain's MX answers named;
-- "*." of a mx: line stands for exactly one label. Such answers may be forged, which is what the policy is for.
-- Strong in mode enforce where the recipient was read, or the server is the MX of this domain alone.
WITH hit AS (
	SELECT m.*, d.domain, d.mode, d.server, d.server || '/' || d.domain AS about,
		max(d.mode = 'enforce' AND d.sure) OVER w AS strong, count(*) OVER w AS sessions,
		min(m.first_ns) OVER w AS all_first_ns, max(m.last_ns) OVER w AS all_last_ns
	FROM sts_delivery AS d
	CROSS JOIN mail_contact AS m ON m.flow = d.flow
	WHERE d.mode IN ('enforce', 'testing') AND d.is_mx AND NOT d.covered AND (m.mail_moved OR m.completed)
		AND (:client IS NULL OR m.client = :client)
	WINDOW w AS (PARTITION BY m.client, m.owner, d.server, d.domain)
)
SELECT 'policy' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(h.strong, 'strong', 'suspected') AS strength, h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow,
	f.frame,
	printf('%s delivered mail for %s to %s (%s)%s, which no mx line of the domain''s MTA-STS policy covers;'
		|| ' mode %s (RFC 8460: validation-failure).', host(c.address), h.domain, h.server, host(h.far),
		iif(h.sessions = 1, '', printf(' %d times', h.sessions)),
		iif(h.mode = 'enforce', 'enforce forbids that', 'testing asks only that it be reported')) AS sentence,
	'The policy was changed since, or the delivery was for another domain with the same server.' AS refuted_by,
	h.about
FROM hit AS h
JOIN client AS c ON c.id = h.client
JOIN flow_frame AS f ON f.flow = h.flow
WHERE :from IS NULL OR h.all_last_ns >= :from;
