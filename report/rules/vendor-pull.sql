-- vendor-pull: a vendor's servers log in to a mail server and fetch mail.
--
-- Seen at the mail server, or on the wire in front of it: a mail session that came in from the network of a
-- vendor whose mail clients relay mail. This is the other half of cloud-relay, and the one that proves it. The
-- finding's client is the mail server, its owner the vendor. Deliveries (port 25) are none.
-- A login that was read and accepted from a network that the catalogue lists for such a service, or an IMAP ID
-- that names its fetcher (RFC 2971; a claim, but made from that network), is proven; a session under TLS, or
-- one whose login nobody saw accepted, from such a network strong, where the handshake was completed. From a
-- network whose hosts anybody can rent (a cloud, known by its AS number) it is suspected, and so is a session
-- whose login was refused. Owners that the policy expects are left out.
WITH hit AS (
	SELECT m.client, m.owner, m.account, m.mechanism, m.secret_len, m.flow, m.credential_frame, m.accepted, m.far,
		m.mail_proto, m.resp_port, m.hello_frame, m.up, s.client_id, m.service,
		m.relay <> 'no' AND m.role IN ('mail-service', 'relay') AND m.named_by IN ('prefix', 'dns') AS listed,
		m.accepted OR m.mail_moved AS inside,
		m.credential <> 'none' AND NOT m.accepted AND NOT m.mail_moved AS refused,
		coalesce(s.client_id, '') LIKE '%name=Microsoft Office 365%' AS fetcher,
		m.first_ns, m.last_ns
	FROM contact_class AS k
	CROSS JOIN mail_contact AS m
	LEFT JOIN mail_session AS s ON s.flow = m.flow
	WHERE k.class = 'incoming' AND m.flow = k.flow AND m.up > 0 AND m.down > 0 AND NOT m.loopback
		AND (m.completed OR m.credential <> 'none' OR m.mail_moved)
		AND (m.role IN ('mail-service', 'relay', 'vendor-cloud') OR m.relay <> 'no'
			-- An AS that the catalogue knows as shared, but where users are at home: they log in themselves.
			OR (m.named_by = 'asn' AND m.ambiguous AND m.role <> 'access'))
		AND m.owner NOT IN (SELECT owner FROM expected)
		AND (:client IS NULL OR m.client = :client)
),
graded AS (
	SELECT h.*, min(h.first_ns) OVER w AS all_first_ns, max(h.last_ns) OVER w AS all_last_ns,
		max(h.secret_len) OVER w AS max_secret_len, count(*) OVER w AS sessions, total(h.up) OVER w AS all_up,
		min(h.far) OVER w AS one_far, max(h.far) OVER w AS another_far,
		max(h.client_id) OVER w AS any_client_id,
		max(CASE
			WHEN NOT h.listed OR h.refused THEN 1
			WHEN h.fetcher OR (h.inside AND h.account <> '') THEN 3
			ELSE 2 END) OVER w AS rank
	FROM hit AS h
	WINDOW w AS (PARTITION BY h.client, h.owner, h.account)
)
SELECT 'leak' AS class, g.client, g.owner, nullif(g.account, '') AS account, nullif(g.mechanism, '') AS mechanism,
	nullif(g.max_secret_len, 0) AS secret_len,
	CASE g.rank WHEN 3 THEN 'proven' WHEN 2 THEN 'strong' ELSE 'suspected' END AS strength,
	g.all_first_ns AS first_ns, g.all_last_ns AS last_ns, g.flow,
	iif(NOT f.last AND g.credential_frame > 0, g.credential_frame, f.frame) AS frame,
	printf('%s at %s%s had %d mail session%s with the mail server %s%s%s; it got %d bytes.', o.title,
		host(g.one_far), iif(g.one_far = g.another_far, '', ' and other addresses'), g.sessions, iif(g.sessions = 1, '', 's'), host(c.address),
		iif(g.account = '', '', ', as ' || g.account),
		iif(g.any_client_id = '', '', ', calling itself ' || g.any_client_id), g.all_up) AS sentence,
	CASE g.rank
		WHEN 1 THEN 'Anybody can rent a host there: it may be the user''s own, or a VPN; or nobody got in.'
		ELSE 'The mailbox''s owner asked ' || o.title || ' to collect it, knowing that it keeps the password: then'
			|| ' list it under expected.' END AS refuted_by
FROM graded AS g
JOIN client AS c ON c.id = g.client
JOIN owner AS o ON o.owner = g.owner
JOIN flow_frame AS f ON f.flow = g.flow
WHERE :from IS NULL OR g.all_last_ns >= :from;
