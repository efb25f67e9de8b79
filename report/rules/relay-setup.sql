-- relay-setup: a vendor's account set-up host is contacted by a client whose account is elsewhere.
--
-- Cloud-relayed clients ask a host of their vendor how to reach an account before they hand over its
-- password. The catalogue marks these hosts; the client's provider must be known and be another owner.
-- A contact that a firewall ended or that failed in its handshake told nothing: the host must have answered
-- (QUIC hides whether the handshake ended). Seen directly, so loss does not weaken it but where it may be why
-- the handshake looks unfinished; suspected as well when only the address says which host it was, or when the
-- catalogue only assumes what that host is for.
WITH hit AS (
	SELECT s.client, s.owner, s.flow, min(s.first_ns) OVER w AS all_first_ns,
		max(s.last_ns) OVER w AS all_last_ns,
		max(NOT s.ambiguous AND s.relay <> 'assumed'
			AND (s.completed IS NOT 0 OR s.proto = 17)
			AND s.named_by NOT IN ('prefix', 'asn', 'none')) OVER w AS strong
	FROM contact_class AS k
	CROSS JOIN seen AS s
	WHERE k.class = 'setup' AND s.flow = k.flow AND s.down > 0
		AND (s.completed IS NOT 0 OR s.proto = 17 OR s.client IN (SELECT client FROM harmed_client))
		AND s.client IN (SELECT client FROM client_provider)
		AND s.owner NOT IN (SELECT owner FROM client_provider WHERE client = s.client)
		AND (:client IS NULL OR s.client = :client)
	WINDOW w AS (PARTITION BY s.client, s.owner)
)
SELECT 'leak' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(h.strong, 'strong', 'suspected') AS strength, h.all_first_ns AS first_ns, h.all_last_ns AS last_ns,
	h.flow, f.frame,
	printf('%s contacted the account set-up host of %s; its mail provider is %s.', host(c.address), o.title,
		(SELECT min(p.owner) || iif(count(*) > 1, ' and others', '') FROM client_provider AS p
			WHERE p.client = h.client)) AS sentence,
	'An account with ' || o.title || ' itself was set up, or the set-up was given up before a password was'
		|| ' typed.' AS refuted_by
FROM hit AS h
JOIN client AS c ON c.id = h.client
JOIN owner AS o ON o.owner = h.owner
JOIN flow_frame AS f ON f.flow = h.flow
WHERE :from IS NULL OR h.all_last_ns >= :from;
