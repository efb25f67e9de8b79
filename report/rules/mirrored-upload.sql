-- mirrored-upload: a client fetches mail from its provider and sends as much on to a vendor's mail service.
--
-- A mail client that keeps its sessions with the provider may still hand the mail to its vendor: next to it one
-- sees bytes down from the provider (mail sessions, HTTPS to its mail hosts), and bytes up to the vendor's mail
-- service, by HTTPS. Asked for is relay-bytes up (table mirror; less is a destination). Only the catalogue's mail
-- services and relays count: video calls, storage and a vendor's other hosts are none, whatever their size.
--
-- While fetches and uploads lie within mirror-span-ns, only amounts can tell: strong when what went up after the
-- first fetch began is relay-bytes, from 1/mirror-times to mirror-times of what was fetched before the last of
-- it, more than came back, and most of it had come down in the ten minutes before it went up. What a user sends
-- there himself can be as much by accident, one file attached in the vendor's webmail beside a fetch of its size;
-- that is the case which refutes it, and why a longer capture says more. A backup of other mail has another amount, a
-- download or browsing brings more back than goes up.
-- In a longer time a file or two would look so by accident. Without the two largest bursts of uploads there must be
-- relay-span-bytes of them that do as all do: by fewer than mirror-fetches bursts of fetches, most of it comes soon
-- after a fetch of as much, since timing cannot tell by so few. By more of them the timing decides: strong when the
-- uploads, with those bursts and without, follow fetches beyond chance (p by circular time shifts at most mirror-p,
-- see report/correlate.h), most of their bytes do, and
-- the amounts agree as above. Where they do not follow, amounts that agree are suspected.
-- Everything else is suspected, as nobody can say what it was; but where mirror-fetches bursts and more were
-- seen and uploads agree with them neither in time nor in amount, they are something else, and a note says so:
-- when more went up than mirror-times of what was fetched, or lags of up to mirror-reach-ns could be tried. Less
-- may be a part of the mail, sent on later than a shorter time can tell.
-- Seen from the client it is strong at most, and suspected when something was not seen: loss, a tunnel, a
-- session with a server that nothing names, a look-up that leads from its provider's domain to the vendor, or
-- a vendor known by its address alone. What is sent to is a host of a mail service by name; whether the
-- catalogue documents that it relays does not matter, as the amount is the evidence.
WITH limits AS (
	SELECT (SELECT value FROM threshold WHERE name = 'relay-bytes') AS bytes,
		(SELECT value FROM threshold WHERE name = 'mirror-times') AS times,
		(SELECT value FROM threshold WHERE name = 'mirror-span-ns') AS span_ns,
		(SELECT value FROM threshold WHERE name = 'mirror-fetches') AS fetches,
		(SELECT value FROM threshold WHERE name = 'relay-span-bytes') AS rest_bytes,
		(SELECT value FROM threshold WHERE name = 'mirror-reach-ns') AS reach_ns,
		(SELECT value FROM threshold WHERE name = 'mirror-p') / 1000.0 AS p
),
seen_mirror AS MATERIALIZED (
	SELECT m.*, m.timing ->> 'lag_ns' AS lag_ns, m.timing ->> 'span_ns' AS span_ns, m.timing ->> 'fetches' AS fetches,
		m.timing ->> 'uploads' AS uploads, m.p <= l.p AS follows,
		m.timing ->> 'span_ns' < l.span_ns AS short, m.timing ->> 'fetches' < l.fetches AS few,
		m.timing ->> 'rest_up' >= l.rest_bytes AND CASE
			WHEN m.timing ->> 'fetches' < l.fetches THEN m.timing ->> 'rest_backed' >= 0.5
			ELSE m.p <= l.p AND m.timing ->> 'rest_p' <= l.p AND m.timing ->> 'fits' >= 0.5 END AS goes_on,
		m.up_after * l.times >= m.fetched AND m.up_after <= m.fetched * l.times AS as_much,
		m.timing ->> 'backed' >= 0.5 AS backed, m.sure_up >= l.bytes AND m.up_after >= l.bytes AND m.down < m.up
			AND m.client NOT IN (SELECT client FROM doubtful_client)
			AND NOT EXISTS (SELECT 1 FROM provider_hint AS p WHERE p.client = m.client AND p.owner = m.owner)
			AS sound
	FROM mirror AS m CROSS JOIN limits AS l
	WHERE m.up >= l.bytes AND (:client IS NULL OR m.client = :client)
),
hit AS (
	SELECT s.*, s.sound AND s.as_much AND s.backed AND (s.short OR s.goes_on) AS strong
	FROM seen_mirror AS s CROSS JOIN limits AS l
	WHERE s.short OR s.few OR s.follows OR s.as_much
		OR (s.up_after < s.fetched AND s.timing ->> 'reach_ns' < l.reach_ns)
),
-- Its flows to the vendor, and the sessions in which it fetched most before.
shown AS (
	SELECT h.client, h.owner, v.flow, 1 AS sent FROM hit AS h
	JOIN vendor_contact AS v ON v.client = h.client AND v.owner = h.owner
	WHERE v.transport IS NULL
	UNION ALL
	SELECT client, owner, flow, 0 FROM (
		SELECT h.client, h.owner, f.flow, row_number() OVER
			(PARTITION BY h.client, h.owner ORDER BY f.down DESC, f.flow) AS place
		FROM hit AS h
		JOIN fetch_session AS f ON f.client = h.client AND f.first_ns <= h.last_ns
	) WHERE place <= 4
),
frames AS (
	SELECT s.client, s.owner, f.flow, f.frame FROM shown AS s JOIN upload_frame AS f ON f.flow = s.flow WHERE s.sent
	UNION ALL
	SELECT s.client, s.owner, f.flow, f.frame FROM shown AS s JOIN flow_frame AS f ON f.flow = s.flow WHERE NOT s.sent
),
told AS MATERIALIZED (
	SELECT h.*,
		printf('%s fetched %d bytes from its mail provider (%s) and sent %d bytes in %d flow%s to the mail service of %s'
			|| ' within %s.', host(c.address), h.fetched,
			(SELECT min(p.owner) || iif(count(*) > 1, ' and others', '') FROM provider_contact AS p
				WHERE p.client = h.client), h.up, h.flows, iif(h.flows = 1, '', 's'), o.title,
			duration(max(h.span_ns, h.last_ns - h.first_ns)))
			|| CASE
			WHEN h.follows THEN printf(' What went up followed fetches, %s, beyond chance (p = %s; %d bursts of'
				|| ' fetches, %d of uploads).', iif(h.lag_ns = 0, 'within 10 seconds',
				duration(h.lag_ns) || ' later on average'), rtrim(printf('%.4f', h.p), '0'), h.fetches, h.uploads)
				|| iif(h.short OR h.goes_on, '', ' One or two files that the user sent would look the same.')
			WHEN NOT h.short AND NOT h.few AND h.as_much THEN printf(' The amounts agree, but in time the uploads do not follow the'
				|| ' fetches (p = %s).', rtrim(rtrim(printf('%.2f', h.p), '0'), '.'))
			WHEN h.as_much AND h.down >= h.up THEN ' More came back than went up.'
			WHEN h.as_much AND NOT h.backed THEN ' Most of it did not go up within ten minutes after as much was fetched.'
			WHEN h.as_much AND NOT h.short AND NOT h.goes_on
				THEN ' One or two files that the user sent would look the same.'
			WHEN h.as_much THEN ''
			ELSE ' Whether that was its mail cannot be told from the amounts.' END AS sentence,
		'What went up was sent by the user: a file attached in webmail of ' || o.title || ', or mail of an account with'
			|| ' it (then declare it as a provider).'
			|| iif(h.short OR h.few, ' A capture of a day tells more, by its timing.', '') AS refuted_by
	FROM hit AS h
	JOIN client AS c ON c.id = h.client
	JOIN owner AS o ON o.owner = h.owner
	WHERE :from IS NULL OR h.last_ns >= :from
)
SELECT 'leak' AS class, t.client, t.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(t.strong, 'strong', 'suspected') AS strength, t.first_ns, t.last_ns, f.flow, f.frame, t.sentence, t.refuted_by
FROM told AS t
JOIN frames AS f ON f.client = t.client AND f.owner = t.owner;
