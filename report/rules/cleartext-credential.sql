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
	SELECT m.client, m.owner, m.account, m.mechanism, m.flow, m.credential, m.credential_frame, m.accepted,
		m.originated, m.far, m.mail_proto, m.resp_port, m.mechanism = 'LOGIN' AND d.login_disabled
			AND d.dialogue GLOB '*L*' AS disabled, min(m.first_ns) OVER w AS all_first_ns,
		max(m.last_ns) OVER w AS all_last_ns, max(m.secret_len) OVER w AS max_secret_len
	FROM mail_contact AS m
	JOIN mail_session AS d ON d.flow = m.flow
	WHERE m.flow IN (SELECT flow FROM contact_class WHERE class = 'credential') AND NOT m.loopback
		AND (:client IS NULL OR m.client = :client)
	WINDOW w AS (PARTITION BY m.client, m.owner, m.account, m.mechanism)
)
SELECT 'exposure' AS class, h.client, h.owner, nullif(h.account, '') AS account, h.mechanism,
	h.max_secret_len AS secret_len, 'proven' AS strength, h.all_first_ns AS first_ns,
	h.all_last_ns AS last_ns, h.flow, h.credential_frame AS frame,
	printf('%s logged in to %s%s over %s port %d with %s%s%s, without TLS: %s is readable on the wire.',
		iif(h.originated, host(c.address), host(h.far)),
		iif(h.originated, host(h.far), host(c.address)),
		iif(h.account = '', '', ' as ' || h.account),
		upper(h.mail_proto), h.resp_port, h.mechanism, iif(h.accepted, ' (accepted)', ''),
		iif(h.disabled, ', in spite of LOGINDISABLED', ''),
		CASE
			WHEN h.credential = 'guessable'
				THEN 'an answer from which the password can be guessed off line'
			WHEN h.mechanism IN ('XOAUTH2', 'OAUTHBEARER') THEN 'a token that can be replayed'
			ELSE 'the password' END) AS sentence,
	'The wire between the two is protected below IP where others could listen (VPN, WPA, MACsec).'
		AS refuted_by
FROM hit AS h
JOIN client AS c ON c.id = h.client
WHERE :from IS NULL OR h.all_last_ns >= :from
ORDER BY h.client, h.owner, account, h.mechanism, h.flow;
