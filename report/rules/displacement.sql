-- displacement: a client that fetched mail from its provider stops, and a vendor's mail service takes over.
--
-- Mail programs look for mail in a rhythm. Sessions with the provider (mail sessions, HTTPS to its mail hosts)
-- no further apart than displacement-pause-ns are one visit; the longest time from a visit to the next is the
-- rhythm. The client then is silent towards that provider for displacement-times as long, and displacement-quiet-ns,
-- while it sends to a vendor's mail service relay-span-bytes and more than it sent there before in the same time.
-- A client that just goes off sends nothing, so it is none. Each of its providers is looked at by itself; of several
-- the one with the most visits is told.
-- What is seen is absence, so it is strong at most: when displacement-visits made the rhythm, and with the times that
-- the vendor has been visited since, or in the rhythm could have been, were displacement-visits-all, to the end of
-- that silence. Fewer are suspected, as an end of some other kind looks the same; and so is what happened when something was not seen: loss, a tunnel, a session with a server that nothing names, a
-- look-up that leads from its provider's domain to the vendor; or when the vendor is known by its address, or to
-- relay by assumption, alone.
WITH limits AS (
	SELECT (SELECT value FROM threshold WHERE name = 'displacement-pause-ns') AS pause_ns,
		(SELECT value FROM threshold WHERE name = 'displacement-quiet-ns') AS quiet_ns,
		(SELECT value FROM threshold WHERE name = 'displacement-visits') AS visits,
		(SELECT value FROM threshold WHERE name = 'displacement-visits-all') AS visits_all,
		(SELECT value FROM threshold WHERE name = 'displacement-times') AS times,
		(SELECT value FROM threshold WHERE name = 'relay-span-bytes') AS span_bytes
),
upload AS MATERIALIZED (
	SELECT v.flow, v.client, v.owner, v.up, v.first_ns, v.last_ns,
		v.relay <> 'assumed' AS relays, NOT v.ambiguous AND v.named_by NOT IN ('prefix', 'asn', 'none') AS named,
		coalesce(v.first_ns - max(v.last_ns) OVER (PARTITION BY v.client, v.owner ORDER BY v.first_ns, v.flow
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) > l.pause_ns, 1) AS begins_visit
	FROM vendor_contact AS v CROSS JOIN limits AS l
	WHERE v.transport IS NULL AND (:client IS NULL OR v.client = :client)
),
-- A session with a provider, the end of those before it, and of all.
direct AS (
	SELECT s.client, s.provider, s.first_ns, max(s.last_ns) OVER (PARTITION BY s.client, s.provider
		ORDER BY s.first_ns, s.flow ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until_ns,
		max(s.last_ns) OVER (PARTITION BY s.client, s.provider) AS stopped_ns
	FROM (
		SELECT o.client, o.owner AS provider, o.flow, o.first_ns, o.last_ns FROM own_session AS o
		JOIN client_provider AS p ON p.client = o.client AND p.owner = o.owner
		WHERE o.down > 0 AND o.client IN (SELECT client FROM upload)
		UNION ALL
		SELECT client, owner, flow, first_ns, last_ns FROM web_mail_contact
		WHERE client IN (SELECT client FROM upload)
	) AS s
),
visit AS (
	SELECT d.client, d.provider, d.first_ns, d.stopped_ns,
		lag(d.first_ns) OVER (PARTITION BY d.client, d.provider ORDER BY d.first_ns) AS before_ns
	FROM direct AS d CROSS JOIN limits AS l
	WHERE d.until_ns IS NULL OR d.first_ns - d.until_ns > l.pause_ns
),
rhythm AS (
	SELECT v.client, v.provider, count(*) AS visits, min(v.first_ns) AS from_ns,
		coalesce(max(v.first_ns - v.before_ns), 0) AS longest_ns,
		max(v.stopped_ns) AS stopped_ns
	FROM visit AS v GROUP BY v.client, v.provider
),
-- What went to the vendor since the silence began, and in as long a time before.
total AS (
	SELECT r.client, r.provider, u.owner, r.visits, r.longest_ns, r.from_ns, r.stopped_ns, max(u.last_ns) AS last_ns,
		total(u.up) FILTER (WHERE u.first_ns > r.stopped_ns) AS up,
		total(u.up) FILTER (WHERE u.first_ns > r.stopped_ns AND u.named) AS named_up,
		max(u.relays AND u.named) FILTER (WHERE u.first_ns > r.stopped_ns) AS relays,
		count(*) FILTER (WHERE u.first_ns > r.stopped_ns) AS flows,
		count(*) FILTER (WHERE u.first_ns > r.stopped_ns AND u.begins_visit) AS vendor_visits,
		min(u.first_ns) FILTER (WHERE u.first_ns > r.stopped_ns) AS vendor_first_ns,
		total(u.up) FILTER (WHERE u.first_ns BETWEEN r.stopped_ns - (c.last_ns - r.stopped_ns) AND r.stopped_ns)
			AS up_before,
		c.last_ns - r.stopped_ns AS silent_ns
	FROM rhythm AS r
	JOIN client AS c ON c.id = r.client
	JOIN upload AS u ON u.client = r.client
	GROUP BY r.client, r.provider, u.owner
),
graded AS (
	SELECT t.*, t.visits >= l.visits AND t.times > 1 AND t.visits + t.times >= l.visits_all
		AND t.last_ns - t.stopped_ns >= l.times * t.longest_ns
		AND t.named_up >= l.span_bytes AND t.relays
		AND t.client NOT IN (SELECT client FROM doubtful_client)
		AND NOT EXISTS (SELECT 1 FROM provider_hint AS p WHERE p.client = t.client AND p.owner = t.owner) AS strong
	FROM (SELECT *, max(vendor_visits, 1 + (last_ns - vendor_first_ns) / max(longest_ns, 1)) AS times FROM total) AS t
	CROSS JOIN limits AS l
	WHERE t.silent_ns >= max(l.times * t.longest_ns, l.quiet_ns)
		AND t.last_ns - t.stopped_ns >= t.longest_ns
		AND t.up >= l.span_bytes AND t.up > 2 * t.up_before
),
hit AS (
	SELECT * FROM (
		SELECT g.*, row_number() OVER (PARTITION BY g.client, g.owner
			ORDER BY g.strong DESC, g.visits DESC, g.provider) AS place
		FROM graded AS g
	) WHERE place = 1
)
SELECT 'leak' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(h.strong, 'strong', 'suspected') AS strength, h.from_ns AS first_ns, h.last_ns, u.flow, f.frame,
	printf('%s went to its mail provider (%s) %s, and then not for %s, in which it sent %d'
		|| ' bytes in %d flow%s to the mail service of %s (%d in as long a time before).', host(c.address), h.provider,
		iif(h.visits = 1, 'once', printf('%d times, %s apart at most', h.visits, duration(h.longest_ns))),
		duration(h.silent_ns), h.up, h.flows, iif(h.flows = 1, '', 's'), o.title, h.up_before) AS sentence,
	'The user moved to an account with ' || o.title || ' (then declare it as a provider), or the mail program'
		|| ' was closed while something else used that service.' AS refuted_by
FROM hit AS h
JOIN upload AS u ON u.client = h.client AND u.owner = h.owner AND u.first_ns > h.stopped_ns
JOIN client AS c ON c.id = h.client
JOIN owner AS o ON o.owner = h.owner
JOIN upload_frame AS f ON f.flow = u.flow
WHERE :from IS NULL OR h.last_ns >= :from;
