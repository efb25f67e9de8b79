-- tls-old: a mail session under a version of TLS that is no longer to be used (RFC 8996, RFC 8997).
--
-- The version that the server chose, also when the session was resumed.
WITH hit AS (
	SELECT m.*, coalesce(n.name, host(m.far)) || '/' || m.version AS about, CASE m.version
			WHEN 0x0302 THEN 'TLS 1.1' WHEN 0x0301 THEN 'TLS 1.0' WHEN 0x0300 THEN 'SSL 3.0'
			ELSE printf('SSL version 0x%04x', m.version) END AS version_words, n.name AS server
	FROM contact_class AS k
	CROSS JOIN mail_contact AS m ON m.flow = k.flow
	LEFT JOIN server_name AS n ON n.flow = k.flow
	WHERE k.class = 'old-tls' AND m.originated AND NOT m.loopback
		AND (:client IS NULL OR m.client = :client)
),
summed AS (
	SELECT h.*, count(*) OVER w AS sessions, sum(h.completed) OVER w AS completed_all,
		max(iif(s.alert_in_clear, s.alert, NULL)) OVER w AS alert,
		max(iif(s.alert_in_clear, s.alert_from, NULL)) OVER w AS alert_from,
		min(h.first_ns) OVER w AS all_first_ns, max(h.last_ns) OVER w AS all_last_ns, s.server_frame
	FROM hit AS h
	JOIN handshake AS s ON s.flow = h.flow
	WINDOW w AS (PARTITION BY h.client, h.owner, h.about)
)
SELECT 'weak' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(h.delivery, 'suspected', 'strong') AS strength, h.all_first_ns AS first_ns,
	h.all_last_ns AS last_ns, h.flow, h.server_frame AS frame,
	printf('%s chose %s for a mail session with %s; %s.%s',
		printf('%s port %d', coalesce(h.server || ' (' || host(h.far) || ')', host(h.far)), h.resp_port),
		h.version_words, host(c.address), went_on(h.sessions, h.completed_all, h.alert, h.alert_from),
		iif(h.delivery, ' Between servers even old TLS is more than none.', '')) AS sentence,
	'Nothing: the version stands in the ServerHello.' AS refuted_by, h.about
FROM summed AS h
JOIN client AS c ON c.id = h.client
WHERE :from IS NULL OR h.all_last_ns >= :from;
