-- address-disclosure: a mail address in a request for account settings over plain HTTP.
--
-- Clients look for their settings at autoconfig.DOMAIN and autodiscover.DOMAIN and may put the address into
-- the request; some fall back to HTTP without TLS. Seen directly in the frame named, so it is proven whatever
-- else was lost. Loopback is not the wire.
WITH hit AS (
	SELECT s.client, s.owner, s.originated, s.far, d.*, min(d.time_ns) OVER w AS all_first_ns,
		max(d.time_ns) OVER w AS all_last_ns
	FROM disclosure AS d
	CROSS JOIN seen AS s
	WHERE s.flow = d.flow AND NOT s.loopback AND (:client IS NULL OR s.client = :client)
	WINDOW w AS (PARTITION BY s.client, s.owner, d.account)
)
SELECT 'exposure' AS class, h.client, h.owner, nullif(h.account, '') AS account, NULL AS mechanism,
	NULL AS secret_len, 'proven' AS strength, h.all_first_ns AS first_ns, h.all_last_ns AS last_ns, h.flow,
	h.frame,
	printf('%s asked %s for account settings (%s) over HTTP without TLS: the address %s is readable in the'
		|| ' request.', iif(h.originated, host(c.address), host(h.far)),
		iif(h.host <> '', h.host, iif(h.originated, host(h.far), host(c.address))), h.kind, h.account)
		AS sentence,
	'The wire between the two is protected below IP where others could listen (VPN, WPA, MACsec).'
		AS refuted_by
FROM hit AS h
JOIN client AS c ON c.id = h.client
WHERE :from IS NULL OR h.all_last_ns >= :from;
