-- certificate-mismatch: a mail server's certificate that does not have the name of the server.
--
-- The name is the one that the client's TLS asked for (SNI), else the one that its DNS answers led to the
-- server with, where it is the only one (RFC 6125, RFC 7817). A certificate without dNSNames is left to its
-- subject's common name. RFC 8460 calls it certificate-host-mismatch.
WITH hit AS (
	SELECT s.*, count(*) OVER w AS sessions, sum(s.completed) OVER w AS completed_all,
		max(s.alert) OVER w AS any_alert, max(s.alert_from) OVER w AS any_alert_from,
		min(s.first_ns) OVER w AS all_first_ns, max(s.last_ns) OVER w AS all_last_ns
	FROM shown_certificate AS s
	WHERE s.chain <> 'malformed' AND NOT s.names_cut AND s.dane = ''
		AND (s.covers_sni = 0
			OR (s.covers_sni = -1 AND s.sure AND s.name_count > 0 AND NOT EXISTS (SELECT 1 FROM name AS n
				WHERE n.id = s.frame AND n.kind = 'certificate' AND covers(n.name, s.name))))
		AND (:client IS NULL OR s.client = :client)
	WINDOW w AS (PARTITION BY s.client, s.owner, s.about)
)
SELECT 'weak' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	h.rule_strength AS strength, h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow, h.frame,
	printf('%s showed %s a certificate of %s, which is not that name; %s.%s',
		h.server_words, host(c.address), iif(h.name_count > 0, (SELECT min(n.name) FROM name AS n
			WHERE n.id = h.frame AND n.kind = 'certificate') || iif(h.name_count > 1, ' and others', ''),
			h.subject),
		went_on(h.sessions, h.completed_all, h.any_alert, h.any_alert_from), h.delivery_words) AS sentence,
	'The client was told to expect another name: its mail domain''s, or an SRV name (RFC 7817 section 3).'
		AS refuted_by, h.about
FROM hit AS h
JOIN client AS c ON c.id = h.client
WHERE :from IS NULL OR h.all_last_ns >= :from;
