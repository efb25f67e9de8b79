-- certificate-expired: a mail server's certificate that was not yet, or no longer, valid when it was shown.
--
-- Judged at the time of the packets, not of this run. An authority of its chain may have expired as well.
WITH hit AS (
	SELECT s.*, CASE
			WHEN s.not_after * 1000000000 < s.time_ns THEN 'that expired on ' || date(s.not_after, 'unixepoch')
			WHEN s.not_before * 1000000000 > s.time_ns
				THEN 'that is not valid before ' || date(s.not_before, 'unixepoch')
			WHEN s.chain = 'expired' THEN 'whose chain has expired'
			WHEN s.chain = 'not-yet-valid' THEN 'whose chain is not valid yet' END AS fault,
		count(*) OVER w AS sessions, sum(s.completed) OVER w AS completed_all,
		max(s.alert) OVER w AS any_alert, max(s.alert_from) OVER w AS any_alert_from,
		min(s.first_ns) OVER w AS all_first_ns, max(s.last_ns) OVER w AS all_last_ns
	FROM shown_certificate AS s
	WHERE s.chain <> 'malformed' AND s.dane = '' AND (s.chain IN ('expired', 'not-yet-valid')
			OR s.not_after * 1000000000 < s.time_ns OR s.not_before * 1000000000 > s.time_ns)
		AND (:client IS NULL OR s.client = :client)
	WINDOW w AS (PARTITION BY s.client, s.owner, s.about)
)
SELECT 'weak' AS class, h.client, h.owner, NULL AS account, NULL AS mechanism, NULL AS secret_len,
	h.rule_strength AS strength, h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow, h.frame,
	printf('%s showed %s a certificate %s; %s.%s',
		h.server_words, host(c.address), h.fault,
		went_on(h.sessions, h.completed_all, h.any_alert, h.any_alert_from), h.delivery_words) AS sentence,
	'The clock of the machine that captured was wrong.' AS refuted_by, h.about
FROM hit AS h
JOIN client AS c ON c.id = h.client
WHERE :from IS NULL OR h.all_last_ns >= :from;
