-- third-party-mail: a mail session from a client to an owner that is not one of its providers.
--
-- IMAP, POP3, submission or Sieve, begun by the client, answered. Deliveries (port 25) are between servers
-- and never count; nor do local servers. The owner must be named by more than an AS number: a session
-- with an unnamed server is a reason for cannot-say, not for this. Where no provider is known every session
-- teaches its own owner, so that only services that are relays and nothing else are left. What the policy
-- expects by its address is the user's own business.
-- Seen directly, so loss does not weaken it; but a server known by its address alone may be reached in
-- place of another of the same prefix, TLS on a port that is nobody's may be another service, and with loss the name
-- may be among what was lost. A provider that is the user's own domain may have its mail with that owner: where a
-- look-up leads from the one to the other, or the client asked for a host of that domain, it is suspected only; and so
-- is a host of a domain that the catalogue does not list, at an address where a provider is: it may be the provider's own.
WITH hit AS (
	SELECT s.client, s.owner, s.account, s.flow, min(s.first_ns) OVER w AS all_first_ns,
		max(s.last_ns) OVER w AS all_last_ns,
		count(*) OVER w AS sessions, sum(s.up) OVER w AS all_up,
		max(CASE
			WHEN s.ambiguous OR s.guessed OR s.strength = 'suspected' THEN 1
			WHEN EXISTS (SELECT 1 FROM provider_hint AS p WHERE p.client = s.client AND p.owner = s.owner) THEN 1
			WHEN EXISTS (SELECT 1 FROM client_provider AS p WHERE p.client = s.client
				AND (s.sni = p.owner OR s.sni GLOB '*.' || p.owner)) THEN 1
			WHEN s.role = 'other' AND EXISTS (SELECT 1 FROM other_name AS o
				WHERE o.client = s.client AND o.far = s.far) THEN 1
			WHEN s.named_by = 'prefix' AND s.client IN (SELECT client FROM harmed_client) THEN 1
			WHEN s.strength = 'proven' THEN 3
			ELSE 2 END) OVER w AS rank
	FROM own_session AS s
	WHERE s.named AND s.named_by <> 'policy' AND s.role <> 'local' AND NOT s.loopback AND s.up > 0 AND s.down > 0
		AND s.owner NOT IN (SELECT owner FROM client_provider WHERE client = s.client)
		AND (s.role = 'relay' OR s.client IN (SELECT client FROM client_provider))
		AND (:client IS NULL OR s.client = :client)
	WINDOW w AS (PARTITION BY s.client, s.owner, s.account)
)
SELECT 'leak' AS class, h.client, h.owner, nullif(h.account, '') AS account, NULL AS mechanism,
	NULL AS secret_len, CASE h.rank WHEN 3 THEN 'proven' WHEN 2 THEN 'strong' ELSE 'suspected' END AS strength,
	h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow, f.frame,
	printf('%s had %d mail session%s with %s, which is not its mail provider%s; it sent %d bytes there.',
		host(c.address), h.sessions, iif(h.sessions = 1, '', 's'), o.title,
		coalesce((SELECT ' (' || min(p.owner) || iif(count(*) > 1, ' and others', '') || ')'
			FROM client_provider AS p WHERE p.client = h.client), ''), h.all_up) AS sentence,
	'The client''s user has an account there: then declare it as a provider.' AS refuted_by
FROM hit AS h
JOIN client AS c ON c.id = h.client
JOIN owner AS o ON o.owner = h.owner
JOIN upload_frame AS f ON f.flow = h.flow
WHERE :from IS NULL OR h.all_last_ns >= :from;
