-- cleartext-credential: a password, replayable token or guessable digest readable on the wire.
--
-- The mechanism decides what a reader has (protocols: PLAIN, LOGIN, USER show the password; XOAUTH2 and
-- OAUTHBEARER a token; CRAM-MD5, DIGEST-MD5, APOP, NTLM material for guessing off line). SCRAM is none of
-- them: its proofs are salted and iterated (RFC 5802 section 5.1: 4096 times or more), so
-- that each guess costs the reader as much and none serves against another account. Loopback is not the wire. Seen
-- directly in the frame named, so it is proven whatever else was lost. Logins that came in to a host at home
-- count as well: they are readable on the same wire. LOGIN in spite of LOGINDISABLED is the client's fault
-- (RFC 9051 section 6.2.3), which does not forbid AUTHENTICATE.
WITH hit AS (
	SELECT s.login, min(s.flow) AS best, min(s.first_ns) AS all_first_ns, max(s.last_ns) AS all_last_ns,
		max(s.secret_len) AS max_secret_len
	FROM clear_session AS s
	WHERE s.login > 0 AND (:client IS NULL OR s.client = :client)
	GROUP BY s.login
)
SELECT 'exposure' AS class, b.client, b.owner, nullif(m.account, '') AS account, m.mechanism,
	h.max_secret_len AS secret_len, 'proven' AS strength, h.all_first_ns AS first_ns,
	h.all_last_ns AS last_ns, s.flow, s.credential_frame AS frame,
	iif(s.flow = h.best,
		printf('%s logged in to %s%s over %s port %d with %s%s%s, without TLS: %s is readable on the wire.',
			iif(b.originated, host(c.address), host(b.far)),
			iif(b.originated, host(b.far), host(c.address)),
			iif(m.account = '', '', ' as ' || m.account),
			upper(m.proto), b.port, m.mechanism, iif(m.accepted, ' (accepted)', ''),
			iif(m.mechanism = 'LOGIN' AND m.login_disabled AND m.dialogue GLOB '*L*',
				', in spite of LOGINDISABLED', ''),
			CASE
				WHEN m.credential = 'guessable'
					THEN 'an answer from which the password can be guessed off line'
				WHEN m.mechanism IN ('XOAUTH2', 'OAUTHBEARER') THEN 'a token that can be replayed'
				ELSE 'the password' END), NULL) AS sentence,
	'The wire between the two is protected below IP where others could listen (VPN, WPA, MACsec).'
		AS refuted_by
FROM hit AS h
CROSS JOIN mail_session AS m
CROSS JOIN clear_session AS b
CROSS JOIN client AS c
CROSS JOIN clear_session AS s
WHERE m.flow = h.best AND b.flow = h.best AND c.id = b.client AND s.login > 0 AND s.login = h.login
	AND (:from IS NULL OR h.all_last_ns >= :from);
