-- Mail dialogues: Suricata's smtp event with what it says of it, and imap, pop3 and sieve events alike. What is
-- in the object mailwitness is ours. Passwords are never kept.
SELECT h._first_ns AS "timestamp:time", m.proto AS event_type, h.*,
	iif(m.proto = 'smtp', nullif(m.client_id, ''), NULL) AS "smtp.helo",
	m.transport AS "mailwitness.transport", nullif(m.banner, '') AS "mailwitness.banner",
	nullif(m.client_id, '') AS "mailwitness.client_id", nullif(m.dialogue, '') AS "mailwitness.dialogue",
	m.starttls_offered AS "mailwitness.starttls_offered:bool", m.starttls_asked AS "mailwitness.starttls_asked:bool",
	m.mail_moved AS "mailwitness.mail_moved:bool", nullif(m.mechanism, '') AS "mailwitness.mechanism",
	nullif(m.account, '') AS "mailwitness.account",
	iif(m.credential <> 'none', m.credential, NULL) AS "mailwitness.credential",
	iif(m.credential <> 'none', 1, NULL) AS "mailwitness.password_redacted:bool",
	iif(m.credential <> 'none', m.accepted, NULL) AS "mailwitness.accepted:bool",
	nullif(m.recipient_domain, '') AS "mailwitness.recipient_domain"
FROM mail_session AS m
JOIN eve_head AS h ON h._flow = m.flow
ORDER BY h._first_ns, m.flow
