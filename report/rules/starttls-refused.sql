-- starttls-refused: the client asked for STARTTLS and the server's side said no.
--
-- RFC 3207 section 4 knows 454 (not now) and 501; RFC 9051 section 6.2.1 and RFC 2595 section 4 know NO, BAD,
-- -ERR. An inspecting device on the path answers that it does not know the command (500, 502, BAD) although
-- the server has it: strong where STARTTLS was offered, in this very session or, by the baseline
-- (starttls_offer), in an earlier one with a server of that name on that port. Any other refusal, as often as
-- it comes, may be the server's own trouble: suspected.
WITH hit AS (
	SELECT s.flow, s.client, s.frame, first_value(s.flow) OVER w AS best, count(*) OVER w AS sessions,
		min(s.first_ns) OVER w AS all_first_ns, max(s.last_ns) OVER w AS all_last_ns,
		max(s.strong) OVER w AS strong
	FROM (SELECT c.*, (m.refusal GLOB '50[02]*' OR m.refusal = 'BAD')
				AND (c.offered OR o.earlier > 0) AS strong
			FROM clear_session AS c
			CROSS JOIN mail_session AS m
			LEFT JOIN starttls_offer AS o ON o.flow = c.flow
			WHERE c.transport = 'starttls-refused' AND m.flow = c.flow) AS s
	WHERE :client IS NULL OR s.client = :client
	WINDOW w AS (PARTITION BY s.client, s.owner, s.server, s.port ORDER BY s.strong DESC, s.went_on DESC, s.flow
		ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT 'exposure' AS class, b.client, b.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	iif(h.strong, 'strong', 'suspected') AS strength,
	h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow, h.frame,
	printf('%s asked %s for STARTTLS over %s and was refused%s%s%s; %s', b.opener, b.server_text,
		b.service_text, iif(b.refusal = '', '', ' (' || b.refusal || ')'),
		iif(h.sessions = 1, '', printf(' in %d sessions', h.sessions)),
		CASE WHEN b.offered THEN ', although it had been offered'
			WHEN o.earlier > 0 THEN printf(', although a server of that name had offered it %d time%s'
				|| ' before', o.earlier, iif(o.earlier = 1, '', 's'))
			ELSE '' END,
		iif(b.went_on, 'it went on in clear.', 'it did not go on.')) AS sentence,
	'The server itself cannot do TLS at the moment: its own log would say so.' AS refuted_by, b.about
FROM hit AS h
CROSS JOIN clear_contact AS b
LEFT JOIN starttls_offer AS o ON o.flow = b.flow
WHERE b.flow = h.best AND (:from IS NULL OR h.all_last_ns >= :from);
