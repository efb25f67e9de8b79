-- cloud-relay: a client sends to a vendor's mail service and has no session with its own provider.
--
-- A cloud-relayed mail client hands the account's password to its vendor, whose servers then fetch the
-- mail: next to the client one sees uploads to the vendor and nothing to the provider. Only bytes sent
-- up to hosts that the catalogue lists as such a service count; a vendor's other hosts do not. The
-- provider must be known (declared, or tied to the client by its own look-ups) and must not have been
-- contacted at all. Enough is relay-bytes, or relay-span-bytes while the client was watched for relay-span-ns,
-- silences counted up to watched-gap-ns.
-- Absence is the evidence, so it is strong at most, and suspected when something was not seen: loss, a
-- tunnel, a mail session with a server that nothing names, a look-up that leads from its provider's domain to
-- the vendor; or when what was sent to hosts named by more than their address, and known to relay by more
-- than assumption, is not enough by itself.
WITH limits AS (
	SELECT (SELECT value FROM threshold WHERE name = 'relay-bytes') AS bytes,
		(SELECT value FROM threshold WHERE name = 'relay-span-bytes') AS span_bytes,
		(SELECT value FROM threshold WHERE name = 'relay-span-ns') AS span_ns
),
upload AS MATERIALIZED (
	SELECT v.flow, v.client, v.owner, v.up, v.first_ns, v.last_ns, v.relay, v.ambiguous, v.named_by
	FROM vendor_contact AS v
	WHERE v.transport IS NULL AND (:client IS NULL OR v.client = :client)
		AND v.client IN (SELECT client FROM client_provider)
		AND v.client NOT IN (SELECT client FROM provider_contact)
),
total AS (
	SELECT u.client, u.owner, sum(u.up) AS up, min(u.first_ns) AS first_ns, max(u.last_ns) AS last_ns,
		sum(iif(u.relay <> 'assumed' AND NOT u.ambiguous AND u.named_by NOT IN ('prefix', 'asn', 'none'),
			u.up, 0)) AS sure_up,
		count(*) AS flows
	FROM upload AS u GROUP BY u.client, u.owner
),
hit AS (
	SELECT t.*, c.watched_ns,
		t.sure_up >= iif(c.watched_ns >= l.span_ns, l.span_bytes, l.bytes)
			AND t.client NOT IN (SELECT client FROM doubtful_client)
			AND NOT EXISTS (SELECT 1 FROM provider_hint AS p
				WHERE p.client = t.client AND p.owner = t.owner)
			AS strong
	FROM total AS t
	JOIN client AS c ON c.id = t.client
	CROSS JOIN limits AS l
	WHERE t.up >= iif(c.watched_ns >= l.span_ns, l.span_bytes, l.bytes)
)
SELECT 'leak' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(h.strong, 'strong', 'suspected') AS strength, h.first_ns, h.last_ns, u.flow, f.frame,
	printf('%s sent %d bytes in %d flow%s to the mail service of %s and was not seen with its mail provider (%s)'
		|| ' in %s.', host(c.address), h.up, h.flows, iif(h.flows = 1, '', 's'), o.title,
		(SELECT min(p.owner) || iif(count(*) > 1, ' and others', '') FROM client_provider AS p
			WHERE p.client = h.client), duration(h.watched_ns)) AS sentence,
	'The client''s account is with ' || o.title || ' itself (then declare it as a provider), or it reaches'
		|| ' its provider where it was not watched.' AS refuted_by
FROM hit AS h
JOIN upload AS u ON u.client = h.client AND u.owner = h.owner
JOIN client AS c ON c.id = h.client
JOIN owner AS o ON o.owner = h.owner
JOIN upload_frame AS f ON f.flow = u.flow
WHERE :from IS NULL OR h.last_ns >= :from;
