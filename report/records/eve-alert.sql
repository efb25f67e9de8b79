-- Suricata's alert event: a finding, at the last of its packets, with the first of its flows. Severity 1 is proven,
-- 2 strong, 3 suspected. Every rule has its number in the range for local rules, which stays.
WITH sid (kind, id) AS (VALUES
	('address-disclosure', 1000001), ('certificate-expired', 1000002), ('certificate-invalid', 1000003),
	('certificate-mismatch', 1000004), ('cleartext-credential', 1000005), ('cleartext-mail', 1000006),
	('cloud-relay', 1000007), ('dane-ignored', 1000008), ('dane-mismatch', 1000009), ('displacement', 1000010),
	('mirrored-upload', 1000011), ('preauth', 1000012), ('relay-setup', 1000013), ('starttls-failed', 1000014),
	('starttls-injection', 1000015), ('starttls-not-used', 1000016), ('starttls-refused', 1000017),
	('starttls-stripped', 1000018), ('sts-ignored', 1000019), ('sts-mx-mismatch', 1000020),
	('third-party-mail', 1000021), ('tls-old', 1000022), ('vendor-pull', 1000023))
SELECT x.last_ns AS "timestamp:time", 'alert' AS event_type, h.*, 'allowed' AS "alert.action", 1 AS "alert.gid",
	(SELECT id FROM sid WHERE kind = x.kind) AS "alert.signature_id", 1 AS "alert.rev",
	printf('mailwitness %s: %s', x.kind, x.owner) AS "alert.signature",
	CASE x.class WHEN 'leak' THEN 'A third party gets mail or credentials'
		WHEN 'exposure' THEN 'Mail or credentials can be read on the path'
		WHEN 'policy' THEN 'MTA-STS or DANE was ignored' ELSE 'Weak TLS' END AS "alert.category",
	CASE x.strength WHEN 'proven' THEN 1 WHEN 'strong' THEN 2 ELSE 3 END AS "alert.severity",
	x.id AS "mailwitness.finding", x.kind AS "mailwitness.kind", x.class AS "mailwitness.class",
	x.strength AS "mailwitness.strength", host(c.address) AS "mailwitness.client", x.owner AS "mailwitness.owner",
	x.account AS "mailwitness.account", x.first_ns AS "mailwitness.first:time",
	x.sentence AS "mailwitness.sentence", x.refuted_by AS "mailwitness.refuted_by"
FROM finding AS x
JOIN client AS c ON c.id = x.client
LEFT JOIN eve_head AS h ON h._flow = (SELECT min(flow) FROM finding_flow AS w WHERE w.finding = x.id)
ORDER BY x.last_ns, x.id
