-- certificate-invalid: a mail server's certificate that nobody should trust: no authority of the CA store
-- vouches for it, it is self-signed, cannot be read, or its key or signature is weak.
--
-- TLS up to 1.2 shows it; 1.3 and resumption hide it, which is no finding. The chain was judged at the time of
-- its packets. Whether the client took it shows in whether the session went on.
WITH hit AS (
	SELECT s.*, count(*) OVER w AS sessions, sum(s.completed) OVER w AS completed_all,
		max(s.alert) OVER w AS any_alert, max(s.alert_from) OVER w AS any_alert_from,
		min(s.first_ns) OVER w AS all_first_ns, max(s.last_ns) OVER w AS all_last_ns
	FROM shown_certificate AS s
	WHERE (s.weak <> '' OR (s.chain IN ('self-signed', 'untrusted', 'malformed')
			AND s.dane = ''))
		AND (:client IS NULL OR s.client = :client)
	WINDOW w AS (PARTITION BY s.client, s.owner, s.about)
)
SELECT 'weak' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	h.rule_strength AS strength, h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow, h.frame,
	printf('%s showed %s a certificate %s; %s.%s',
		h.server_words, host(c.address), CASE h.chain
			WHEN 'self-signed' THEN 'that is self-signed'
			WHEN 'untrusted' THEN 'that no known authority vouches for' || iif(h.why <> '', printf(' (%s)', h.why), '')
			WHEN 'malformed' THEN 'that cannot be read'
			ELSE printf('that is weak (%s)', h.weak) END,
		went_on(h.sessions, h.completed_all, h.any_alert, h.any_alert_from), h.delivery_words) AS sentence,
	'The client knows an authority that the CA store of this machine does not, or was told to trust this'
		|| ' certificate.' AS refuted_by, h.about
FROM hit AS h
JOIN client AS c ON c.id = h.client
WHERE :from IS NULL OR h.all_last_ns >= :from;
