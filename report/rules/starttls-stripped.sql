-- starttls-stripped: the offer of STARTTLS was taken away on the path.
--
-- RFC 3207 section 6 names the attack. Some devices leave a mark that is proof by itself: the keyword or the
-- greeting overwritten with X or asterisks, or a list that forbids to log in (LOGINDISABLED) and leaves no
-- other way. Without a mark there is only the baseline (starttls_offer): a server of that name on that port
-- offered it in earlier sessions. Strong with starttls-offers of them that called themselves the same, else
-- suspected, as where part of the session was not seen: absence is the evidence. At a first contact nothing
-- can be said. HELO has no list to miss anything in (RFC 5321 section 4.1.1.1). A greeting with PREAUTH is
-- judged by its own rule.
WITH hit AS (
	SELECT s.flow, s.client, first_value(s.flow) OVER w AS best, count(*) OVER w AS sessions,
		min(s.first_ns) OVER w AS all_first_ns, max(s.last_ns) OVER w AS all_last_ns,
		max(s.rank) OVER w AS rank
	FROM (SELECT c.*, CASE
				WHEN c.transport = 'starttls-stripped' THEN 3
				WHEN m.dialogue NOT GLOB '*[gG]*' AND o.earlier_same >=
					(SELECT value FROM threshold WHERE name = 'starttls-offers') THEN 2
				ELSE 1 END AS rank
			FROM clear_session AS c
			CROSS JOIN mail_session AS m
			LEFT JOIN starttls_offer AS o ON o.flow = c.flow
			WHERE c.transport IN ('starttls-stripped', 'plaintext') AND m.flow = c.flow
				AND (c.transport = 'starttls-stripped'
				OR (c.transport = 'plaintext' AND o.earlier > 0 AND NOT m.preauth))) AS s
	WHERE :client IS NULL OR s.client = :client
	WINDOW w AS (PARTITION BY s.client, s.owner, s.server, s.port ORDER BY s.rank DESC, s.went_on DESC, s.flow
		ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT 'exposure' AS class, b.client, b.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	CASE h.rank WHEN 3 THEN 'proven' WHEN 2 THEN 'strong' ELSE 'suspected' END AS strength,
	h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow, f.frame,
	printf('%s was kept from STARTTLS with %s over %s%s: %s; %s', b.opener, b.server_text, b.service_text,
		iif(h.sessions = 1, '', printf(' in %d sessions', h.sessions)),
		CASE
			WHEN b.signature = 'masked-keyword'
				THEN 'the word was overwritten with X, as inspecting firewalls do'
			WHEN b.signature = 'masked-greeting'
				THEN 'the greeting was overwritten with asterisks, as inspecting firewalls do, and the'
					|| ' offer is missing'
			WHEN b.signature = 'edited-list'
				THEN 'the server''s list forbids to log in and offers no other way, as no server would'
			WHEN h.rank = 3 THEN 'what is left of the server''s answers shows that they were edited'
			ELSE printf('it was not offered, unlike in %d earlier session%s with a server of that name%s',
				o.earlier, iif(o.earlier = 1, '', 's'), CASE o.earlier_same
					WHEN o.earlier THEN ''
					WHEN 0 THEN ', which called itself otherwise'
					ELSE printf(', which in %d called itself the same', o.earlier_same) END)
			END,
		iif(b.went_on, 'it went on in clear.', 'it did not go on.')) AS sentence,
	iif(h.rank = 3, 'The server itself is set up to answer so.',
		'The server was set up otherwise in between, answers some clients otherwise, or several servers share'
		|| ' the name.') AS refuted_by, b.about
FROM hit AS h
CROSS JOIN clear_contact AS b
LEFT JOIN starttls_offer AS o ON o.flow = b.flow
CROSS JOIN flow_frame AS f
WHERE b.flow = h.best AND f.flow = h.flow AND (:from IS NULL OR h.all_last_ns >= :from);
