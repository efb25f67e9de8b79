-- The case file. Fact tables have the fields of classify/fact.h as columns; enums are stored by name,
-- times are nanoseconds since 1970 UTC of the capture, frames are source << 40 | number (from 1).
-- Addresses are 16-byte blobs (IPv4 mapped); the SQL function host() that the program registers shows them.
-- Fact tables have no secondary index while facts come in; judge makes those it needs (judge.c).

PRAGMA application_id = 0x6d776974; -- "mwit"

CREATE TABLE run (
	id INTEGER PRIMARY KEY,
	version TEXT NOT NULL,
	ndpi_version TEXT NOT NULL,
	catalogue_version TEXT NOT NULL,
	asn_database TEXT NOT NULL,
	attribution TEXT NOT NULL,
	command_line TEXT NOT NULL,
	scope TEXT NOT NULL,
	filter TEXT NOT NULL,
	ca_store TEXT NOT NULL,		-- whom certificates were judged by; '' where none was asked
	from_ns INTEGER NOT NULL,	-- when it began to watch; 0: it read files
	until_ns INTEGER NOT NULL	-- up to then all that it saw is stored
);

-- What was not watched between two runs. to_ns is before from_ns where the clock was set back meanwhile.
CREATE VIEW watch_gap AS
SELECT run, from_ns, to_ns, printf('Not watched: %s from %s to %s',
	iif(to_ns > from_ns, duration(to_ns - from_ns), 'unknown how long, as the clock was set back,'),
	strftime('%Y-%m-%dT%H:%M:%SZ', from_ns / 1000000000, 'unixepoch'),
	strftime('%Y-%m-%dT%H:%M:%SZ', to_ns / 1000000000, 'unixepoch')) AS words
FROM (SELECT id AS run, max(until_ns, from_ns) AS from_ns, lead(from_ns) OVER (ORDER BY id) AS to_ns
	FROM run WHERE from_ns > 0)
WHERE to_ns > coalesce((SELECT max(before_ns) FROM deleted), 0);

-- Old facts that went to keep the case within days or bytes. For bytes some from before may be left: those that
-- findings rest on.
CREATE TABLE deleted (
	why TEXT PRIMARY KEY,		-- days, bytes
	before_ns INTEGER NOT NULL,	-- what went was before
	facts INTEGER NOT NULL,
	log_bytes INTEGER NOT NULL	-- the most that SQLite's log took
) WITHOUT ROWID;
CREATE VIEW deleted_words AS
SELECT why, before_ns, facts, printf('Deleted: %,d fact%s from before %s, to keep the case within its %s', facts, iif(facts = 1, '', 's'),
	strftime('%Y-%m-%dT%H:%M:%SZ', before_ns / 1000000000, 'unixepoch'), why) AS words
FROM deleted WHERE facts > 0;

-- The command whose traffic a run watched: a row for `run`, else none.
CREATE TABLE command (
	run INTEGER PRIMARY KEY,
	name TEXT NOT NULL,		-- without its arguments: they may hold a password
	status INTEGER,			-- its exit status; NULL: a signal ended it
	signal TEXT,			-- which one, as in TERM
	left_running TEXT NOT NULL	-- what it began and did not end; '' is nothing
);
CREATE VIEW command_words AS
SELECT run, printf('Command: %s, %s%s', name, coalesce('exit status ' || status, 'ended by SIG' || signal),
	iif(left_running <> '', '; left running, without a network since then: ' || left_running, '')) AS words
FROM command;

CREATE TABLE source (
	number INTEGER PRIMARY KEY,
	path TEXT NOT NULL,
	end TEXT NOT NULL,		-- complete, truncated, damaged, empty, not-a-capture, unreadable, running, killed, vanished
	at_byte INTEGER NOT NULL,
	why TEXT NOT NULL,
	size INTEGER NOT NULL,
	sha256 TEXT NOT NULL,
	format TEXT NOT NULL,
	compression TEXT NOT NULL,
	packets INTEGER NOT NULL,
	first_ns INTEGER NOT NULL,
	last_ns INTEGER NOT NULL,
	secrets_blocks INTEGER NOT NULL,
	unknown_blocks INTEGER NOT NULL,
	comments INTEGER NOT NULL,
	vantage TEXT NOT NULL		-- the place where it was recorded; '' was not said
);

CREATE TABLE source_interface (
	source INTEGER NOT NULL,
	number INTEGER NOT NULL,
	name TEXT NOT NULL,
	link_type INTEGER NOT NULL,
	snaplen INTEGER NOT NULL,
	packets INTEGER NOT NULL,
	recorded INTEGER NOT NULL,
	recorded_received INTEGER NOT NULL,
	recorded_dropped INTEGER NOT NULL,
	PRIMARY KEY (source, number)
) WITHOUT ROWID;

-- flow 0: seen by the capture room, and place counts those of one frame and reason; else one a flow.
CREATE TABLE loss (
	frame INTEGER NOT NULL,
	reason TEXT NOT NULL,
	flow INTEGER NOT NULL,
	place INTEGER NOT NULL,
	last_frame INTEGER NOT NULL,
	time_ns INTEGER NOT NULL,
	packets INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	src BLOB,
	dst BLOB,
	PRIMARY KEY (frame, reason, flow, place)
) WITHOUT ROWID;

CREATE TABLE flow (
	id INTEGER PRIMARY KEY,
	last_frame INTEGER NOT NULL,
	first_ns INTEGER NOT NULL,
	last_ns INTEGER NOT NULL,
	orig_addr BLOB NOT NULL,
	resp_addr BLOB NOT NULL,
	orig_port INTEGER NOT NULL,
	resp_port INTEGER NOT NULL,
	proto INTEGER NOT NULL,
	orig_seen_syn INTEGER NOT NULL,
	vlan INTEGER NOT NULL,
	orig_mac BLOB,
	resp_mac BLOB,
	pid INTEGER NOT NULL,
	orig_packets INTEGER NOT NULL,
	resp_packets INTEGER NOT NULL,
	orig_bytes INTEGER NOT NULL,
	resp_bytes INTEGER NOT NULL,
	orig_payload INTEGER NOT NULL,
	resp_payload INTEGER NOT NULL,
	orig_missing INTEGER NOT NULL,
	resp_missing INTEGER NOT NULL,
	orig_first_sent INTEGER NOT NULL,	-- frames
	resp_first_sent INTEGER NOT NULL,
	orig_last_sent INTEGER NOT NULL,
	resp_last_sent INTEGER NOT NULL,
	packets_cut INTEGER NOT NULL,
	end TEXT NOT NULL,
	history TEXT NOT NULL,
	community_id TEXT NOT NULL,
	app_proto TEXT NOT NULL,
	dpi_master TEXT NOT NULL,
	dpi_app TEXT NOT NULL,
	opaque INTEGER NOT NULL,
	encrypted_dns INTEGER NOT NULL
);

-- Of flows that carry mail or may, and did not end in the interval that they began in.
CREATE TABLE flow_sample (
	flow INTEGER NOT NULL,
	place INTEGER NOT NULL,
	frame INTEGER NOT NULL,		-- the flow's last in the interval
	start_ns INTEGER NOT NULL,
	end_ns INTEGER NOT NULL,
	orig_bytes INTEGER NOT NULL,	-- payload
	resp_bytes INTEGER NOT NULL,
	PRIMARY KEY (flow, place)
) WITHOUT ROWID;

CREATE TABLE name (
	id INTEGER NOT NULL,
	place INTEGER NOT NULL,
	kind TEXT NOT NULL,
	asked_by BLOB NOT NULL,
	address BLOB NOT NULL,
	mac BLOB,
	name TEXT NOT NULL,
	canonical TEXT NOT NULL,	-- '' where it is the name itself
	from_ns INTEGER NOT NULL,
	until_ns INTEGER NOT NULL,
	ech INTEGER NOT NULL,
	public_name TEXT NOT NULL,
	PRIMARY KEY (id, place)
) WITHOUT ROWID;

CREATE TABLE mail_dns (
	id INTEGER NOT NULL,
	place INTEGER NOT NULL,
	time_ns INTEGER NOT NULL,
	asked_by BLOB NOT NULL,
	resolver BLOB NOT NULL,
	name TEXT NOT NULL,
	type TEXT NOT NULL,
	rdata TEXT NOT NULL,
	answered INTEGER NOT NULL,
	authentic INTEGER NOT NULL,
	wants_dnssec INTEGER NOT NULL,
	digest BLOB,			-- TLSA of matching type 0: SHA-256 of what it would match
	rcode TEXT NOT NULL,
	PRIMARY KEY (id, place)
) WITHOUT ROWID;

CREATE TABLE handshake (
	flow INTEGER PRIMARY KEY,
	frame INTEGER NOT NULL,
	server_frame INTEGER NOT NULL,
	quic INTEGER NOT NULL,
	quic_version INTEGER NOT NULL,
	sni TEXT NOT NULL,
	sni_trailing_dot INTEGER NOT NULL,
	alpn TEXT NOT NULL,
	alpn_chosen TEXT NOT NULL,
	client_version INTEGER NOT NULL,
	version INTEGER NOT NULL,
	cipher INTEGER NOT NULL,
	ech INTEGER NOT NULL,
	resumed INTEGER NOT NULL,
	completed INTEGER NOT NULL,
	alert_in_clear INTEGER NOT NULL,
	alert INTEGER NOT NULL,
	alert_from INTEGER NOT NULL,
	after_starttls INTEGER NOT NULL,
	certificate_seen INTEGER NOT NULL,
	fallback INTEGER NOT NULL,
	ja4 TEXT NOT NULL
);

CREATE TABLE mail_session (
	flow INTEGER PRIMARY KEY,
	proto TEXT NOT NULL,
	transport TEXT NOT NULL,
	greeting_seen INTEGER NOT NULL,
	offers_seen INTEGER NOT NULL,
	starttls_offered INTEGER NOT NULL,
	starttls_asked INTEGER NOT NULL,
	preauth INTEGER NOT NULL,
	mail_moved INTEGER NOT NULL,
	credential TEXT NOT NULL,
	mechanism TEXT NOT NULL,
	account TEXT NOT NULL,
	secret_len INTEGER NOT NULL,
	credential_frame INTEGER NOT NULL,
	accepted INTEGER NOT NULL,
	banner TEXT NOT NULL,
	client_id TEXT NOT NULL,
	dialogue TEXT NOT NULL,
	refusal TEXT NOT NULL,
	signature TEXT NOT NULL,	-- masked-keyword, masked-greeting, edited-list
	injected_by_client INTEGER NOT NULL,
	injected_by_server INTEGER NOT NULL,
	compressed INTEGER NOT NULL,
	login_disabled INTEGER NOT NULL,
	recipient_domain TEXT NOT NULL,
	claimed_by TEXT NOT NULL,	-- proxy, xclient
	claimed_client BLOB
);

-- A chain that a server showed in clear; the dNSNames of place 0 are rows of name (kind certificate).
CREATE TABLE certificate (
	flow INTEGER NOT NULL,
	place INTEGER NOT NULL,		-- 0: the server's own
	frame INTEGER NOT NULL,
	time_ns INTEGER NOT NULL,
	sha256 BLOB NOT NULL,
	sha512 BLOB NOT NULL,
	spki_sha256 BLOB NOT NULL,
	spki_sha512 BLOB NOT NULL,
	subject TEXT NOT NULL,
	issuer TEXT NOT NULL,
	name_count INTEGER NOT NULL,
	names_cut INTEGER NOT NULL,
	not_before INTEGER NOT NULL,	-- seconds since 1970
	not_after INTEGER NOT NULL,
	key TEXT NOT NULL,
	key_bits INTEGER NOT NULL,
	signature TEXT NOT NULL,
	weak TEXT NOT NULL,		-- why; '' is not
	self_signed INTEGER NOT NULL,
	chain TEXT NOT NULL,		-- not-judged, trusted, self-signed, untrusted, expired, not-yet-valid, malformed
	why TEXT NOT NULL,
	covers_sni INTEGER NOT NULL,	-- -1: there was no SNI
	PRIMARY KEY (flow, place)
) WITHOUT ROWID;

-- Logins that were readable and answered, the first of each session; mail_session names the one worth most.
CREATE TABLE login (
	flow INTEGER NOT NULL,
	place INTEGER NOT NULL,
	frame INTEGER NOT NULL,
	credential TEXT NOT NULL,	-- reusable, guessable, hardened
	mechanism TEXT NOT NULL,
	account TEXT NOT NULL,
	secret_len INTEGER NOT NULL,
	accepted INTEGER NOT NULL,
	PRIMARY KEY (flow, place)
) WITHOUT ROWID;

CREATE TABLE disclosure (
	flow INTEGER PRIMARY KEY,
	frame INTEGER NOT NULL,
	time_ns INTEGER NOT NULL,
	kind TEXT NOT NULL,		-- autoconfig, autodiscover
	host TEXT NOT NULL,
	account TEXT NOT NULL
);

-- A process of the host that was watched, as it was when it held a socket (capture/process.h).
CREATE TABLE process (
	number INTEGER PRIMARY KEY,
	pid INTEGER NOT NULL,
	start INTEGER NOT NULL,		-- clock ticks after the boot
	name TEXT NOT NULL,
	path TEXT NOT NULL,		-- of its executable; '' is not known
	uid INTEGER NOT NULL,
	user TEXT NOT NULL,
	cgroup TEXT NOT NULL,
	unit TEXT NOT NULL,		-- systemd's
	sha256 BLOB			-- of its executable; NULL is not known
);

-- Who held the socket with these addresses, and when; a row for each holder. local is an end of this host.
CREATE TABLE socket_owner (
	local_addr BLOB NOT NULL,
	local_port INTEGER NOT NULL,
	remote_addr BLOB NOT NULL,
	remote_port INTEGER NOT NULL,
	proto INTEGER NOT NULL,
	from_ns INTEGER NOT NULL,	-- when the packet passed that was asked for; else of the first look at it
	place INTEGER NOT NULL,
	until_ns INTEGER NOT NULL,	-- when it was last seen there
	state TEXT NOT NULL,		-- connected, closing, port (UDP: bound to it, connected to nobody), gone
	asked INTEGER NOT NULL,		-- for a packet; else found by a look at all sockets
	uid INTEGER,			-- who made it
	holders INTEGER NOT NULL,	-- all, also those that have no row
	process INTEGER NOT NULL,	-- 0: nobody was found
	PRIMARY KEY (local_addr, local_port, remote_addr, remote_port, proto, from_ns, place)
) WITHOUT ROWID;

-- How far it could keep up; no row where processes were not matched.
CREATE TABLE process_count (
	run INTEGER PRIMARY KEY,
	asked INTEGER NOT NULL,		-- packets that were asked for
	missed INTEGER NOT NULL,	-- that were not, or of which the answer found no room
	hidden INTEGER NOT NULL		-- sockets whose holder may be a process that could not be looked into
);

-- Packets of a live case, in pieces. What is secret in them was overwritten with * before they came here.
CREATE TABLE packet (
	frame INTEGER NOT NULL,
	place INTEGER NOT NULL,		-- of the piece
	flow INTEGER NOT NULL,
	time_ns INTEGER NOT NULL,
	wire_len INTEGER NOT NULL,	-- of the frame, as the next two
	caplen INTEGER NOT NULL,
	masked INTEGER NOT NULL,	-- bytes that were overwritten
	size INTEGER NOT NULL,		-- of data
	data BLOB NOT NULL,
	PRIMARY KEY (frame, place)
) WITHOUT ROWID;
CREATE INDEX packet_of_flow ON packet (flow, time_ns, size);

-- How much may be kept of them, and what had to go for newer ones. Of a case that was read from files there is
-- no row: there the packets are.
CREATE TABLE keep (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	limit_bytes INTEGER NOT NULL,
	bytes INTEGER NOT NULL,		-- of data in table packet
	dropped_flows INTEGER NOT NULL,
	dropped_bytes INTEGER NOT NULL
);

-- What follows is derived from the facts by judge and replaced as a whole.

-- Whose a flow is, as far as known: of all matches of an end the best, and each process of those.
CREATE TABLE flow_process (
	flow INTEGER NOT NULL,
	originator INTEGER NOT NULL,	-- whether it is that of the originator's end; -1: not said which
	program INTEGER NOT NULL,	-- the first of the processes that have all in common but their ids; 0: not known
	pid INTEGER NOT NULL,		-- 0: not known, or several
	uid INTEGER,			-- of the program, else who made the socket; NULL is not known
	quality TEXT NOT NULL,		-- exact, port-only, late, none, recorded (by the capturing tool): see judge_process.c
	PRIMARY KEY (flow, originator, program, pid)
) WITHOUT ROWID;

-- The numbers that rules go by, in one place.
CREATE TABLE threshold (
	name TEXT PRIMARY KEY,
	value INTEGER NOT NULL,
	why TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO threshold VALUES
	('relay-span-ns', 600000000000, 'watched this long without a session with the provider'),
	('watched-gap-ns', 300000000000, 'of a silence of the client as much counts as watched: a clock may jump'),
	('displacement-pause-ns', 600000000000, 'sessions with the provider no further apart are one visit'),
	('displacement-quiet-ns', 1800000000000, 'a session in which a client waits for mail may be silent for 29 minutes (RFC 2177)'),
	('displacement-visits', 3, 'visits to the provider that make a rhythm: two times between them'),
	('displacement-visits-all', 6, 'times at the provider, and then at the vendor: as many as make two rhythms'),
	('displacement-times', 2, 'a silence of as many of the longest of these times is beyond the rhythm'),
	('relay-span-bytes', 20000, 'sent up in that time; less is a destination, not a mailbox in use'),
	('relay-bytes', 200000, 'sent up to the vendor, however short the watch: mail, not a look at a web page'),
	('joint-ns', 3600000000000, 'a vendor fetches mail for the first time this soon after it got the password'),
	('clock-ns', 60000000000, 'clocks of two vantage points are trusted to differ by no more'),
	('unnamed-bytes', 1000, 'sent up to one endpoint that nothing names: enough for a password'),
	('unnamed-all-bytes', 200000, 'sent up to all of them, however little to each: as much as relay-bytes'),
	('mirror-times', 2, 'bytes up to a vendor are from half to twice the bytes fetched: the same mail'),
	('mirror-span-ns', 3600000000000, 'fetches and uploads over a shorter time cannot be told by their timing'),
	('mirror-fetches', 8, 'bursts of fetches that uploads must not follow, for their timing to speak against it'),
	('mirror-reach-ns', 600000000000, 'lags that must have been tried before timing speaks against a part of the mail'),
	('mirror-p', 10, 'per mille: p-value up to which uploads follow fetches, corrected for all that was tried'),
	('tlsa-age-ns', 86400000000000, 'an older TLSA answer says nothing of a server: records live for hours'),
	('evidence-frames', 4000, 'of one finding are named, and the last: nobody looks at more'),
	('starttls-offers', 3, 'earlier sessions that offered STARTTLS, for its absence to be no accident'),
	('starttls-retry-ns', 60000000000, 'after a broken handshake: mail clients try again in clear within seconds');

-- A tag as the catalogue gave it; id 0 does not exist.
CREATE TABLE endpoint (
	id INTEGER PRIMARY KEY,
	owner TEXT NOT NULL,
	service TEXT NOT NULL,
	role TEXT NOT NULL,
	named_by TEXT NOT NULL,
	strength TEXT NOT NULL,
	relay TEXT NOT NULL,
	setup INTEGER NOT NULL,
	resolver INTEGER NOT NULL,	-- public DNS: TLS and QUIC to it hide look-ups
	ambiguous INTEGER NOT NULL,
	name TEXT NOT NULL,
	asn INTEGER NOT NULL,
	as_org TEXT NOT NULL,
	source TEXT NOT NULL,
	alike INTEGER NOT NULL,		-- the first of the same owner, service, role, named_by and strength
	-- Nothing better than an AS number or a shared address says whose it is.
	unnamed INTEGER AS (role <> 'local' AND (named_by IN ('none', 'asn') OR role = 'unnamed' OR ambiguous
		OR (named_by = 'prefix' AND role IN ('cdn', 'vendor-cloud', 'access')))),
	named INTEGER AS (named_by NOT IN ('none', 'asn') AND role <> 'unnamed'),	-- by better than an AS number
	-- Serves mail over HTTPS. Of an owner that the catalogue does not list, hosts called like mail hosts.
	web_mail INTEGER AS (role IN ('mail-provider', 'mail-service')
		OR (role = 'other' AND (name GLOB 'mail*' OR name GLOB 'webmail*' OR name GLOB 'imap*'
			OR name GLOB 'smtp*' OR name GLOB 'pop*.*' OR name GLOB 'owa.*'
			OR name GLOB 'exchange*' OR name GLOB 'jmap*' OR name GLOB 'mx*.*'
			OR name GLOB 'roundcube*')))
);

CREATE TABLE owner (
	owner TEXT PRIMARY KEY,
	title TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE client (
	id INTEGER PRIMARY KEY,
	address BLOB NOT NULL,		-- the one it is called by
	vantage TEXT NOT NULL,		-- where it was seen: one address at two places may be two hosts
	mac BLOB,
	name TEXT NOT NULL,
	first_ns INTEGER NOT NULL,	-- of its contacts
	last_ns INTEGER NOT NULL,
	watched_ns INTEGER NOT NULL,	-- between these, silences counted up to watched-gap-ns
	judged INTEGER NOT NULL,
	third_party TEXT NOT NULL,	-- leak, cannot-say, clean
	path TEXT NOT NULL,		-- exposed, cannot-say, sealed
	verdict TEXT NOT NULL		-- leak, cannot-say, clean
);

-- What was seen of it, in flows with something in them, whoever began them.
CREATE TABLE client_coverage (
	client INTEGER PRIMARY KEY,
	packets INTEGER NOT NULL,	-- sent and got
	bytes INTEGER NOT NULL,		-- of these packets
	payload_up INTEGER NOT NULL,	-- sent
	payload_down INTEGER NOT NULL,	-- got
	asked INTEGER NOT NULL		-- flows to its port 53: it answers DNS
);

CREATE TABLE client_address (
	address BLOB NOT NULL,
	vantage TEXT NOT NULL,
	client INTEGER NOT NULL,
	PRIMARY KEY (address, vantage)
) WITHOUT ROWID;

CREATE TABLE client_provider (
	client INTEGER NOT NULL,
	owner TEXT NOT NULL,
	how TEXT NOT NULL,		-- declared, learnt
	PRIMARY KEY (client, owner)
) WITHOUT ROWID;

-- Servers of mail sessions that have a name which the catalogue does not list, at an address where a provider of the
-- client's is, alone or with others: they may be the provider's, by a name of the user's own.
CREATE TABLE other_name (
	client INTEGER NOT NULL,
	far BLOB NOT NULL,
	PRIMARY KEY (client, far)
) WITHOUT ROWID;

-- Who else may have the mail of a provider's domain, as the client's own look-ups say.
CREATE TABLE provider_hint (
	client INTEGER NOT NULL,
	owner TEXT NOT NULL,
	PRIMARY KEY (client, owner)
) WITHOUT ROWID;

-- Those of them that DNS aliases say. Names that are stored later may add to it.
CREATE TABLE alias_hint (
	client INTEGER NOT NULL,
	owner TEXT NOT NULL,
	PRIMARY KEY (client, owner)
) WITHOUT ROWID;

-- By which name the server of a mail contact was meant: what the client's TLS asked for, else the last DNS
-- answer before the flow that the client's host got. Only of those of which rules ask it: with a certificate,
-- with TLS that is no longer to be used, and all where TLSA records or MTA-STS policies are known.
CREATE TABLE server_name (
	flow INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	canonical TEXT NOT NULL,	-- at the end of its CNAME chain; '' where it is the name itself
	sure INTEGER NOT NULL		-- no other name led there at that time
);

-- What resolvers that validate said to TLSA questions, also that there is none.
CREATE TABLE tlsa_answer (
	name TEXT NOT NULL,
	on_host INTEGER NOT NULL,	-- the answer did not leave the host: nobody could forge its AD bit
	time_ns INTEGER NOT NULL,
	id INTEGER NOT NULL,
	PRIMARY KEY (name, on_host, time_ns, id)
) WITHOUT ROWID;

-- Who asked for TLSA records; client 0 is a host that asked itself.
CREATE TABLE tlsa_asked (
	name TEXT NOT NULL,
	client INTEGER NOT NULL,
	first_ns INTEGER NOT NULL,
	PRIMARY KEY (name, client)
) WITHOUT ROWID;

-- Mail contacts with a server that had TLSA records, of which AD says that they are authentic.
CREATE TABLE dane (
	flow INTEGER PRIMARY KEY,
	server TEXT NOT NULL,
	sure INTEGER NOT NULL,		-- as in server_name
	question TEXT NOT NULL,		-- e.g. _25._tcp.mx.example
	answer INTEGER NOT NULL,	-- its frame
	on_host INTEGER NOT NULL,
	usable INTEGER NOT NULL,	-- records that SMTP can use (RFC 7672 section 3.1)
	outcome TEXT NOT NULL		-- ee-match, ta-match, differs, name-differs, unusable, not-seen (no certificate in clear)
);

-- MTA-STS policies: the user's, and of other domains that they have one.
CREATE TABLE sts_policy (
	domain TEXT PRIMARY KEY,
	mode TEXT NOT NULL,		-- enforce, testing, none, not-seen
	first_ns INTEGER NOT NULL,	-- of the TXT record that tells; 0: the user's
	frame INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE sts_mx (
	domain TEXT NOT NULL,
	pattern TEXT NOT NULL,
	PRIMARY KEY (domain, pattern)
) WITHOUT ROWID;

CREATE TABLE mx_answer (
	target TEXT NOT NULL,
	domain TEXT NOT NULL,
	time_ns INTEGER NOT NULL,
	PRIMARY KEY (target, time_ns, domain)
) WITHOUT ROWID;
CREATE INDEX mx_of_domain ON mx_answer (domain, target);

-- Deliveries for domains with a policy.
CREATE TABLE sts_delivery (
	flow INTEGER PRIMARY KEY,
	domain TEXT NOT NULL,
	mode TEXT NOT NULL,
	frame INTEGER NOT NULL,
	server TEXT NOT NULL,		-- '' is not known
	sure INTEGER NOT NULL,		-- that it was for this domain and to this server
	is_mx INTEGER,			-- the domain's MX answers name the server; NULL: none was seen
	covered INTEGER NOT NULL	-- a mx: line of the policy does
);

-- Those of a client's flows, by its own end.
CREATE VIEW contact_process AS
SELECT c.client, c.flow, c.endpoint, c.up, c.down, p.program, p.pid, p.uid, p.quality
FROM flow_process AS p
CROSS JOIN contact AS c
WHERE c.flow = p.flow AND p.originator IN (-1, c.originated);

-- What went between a client and a far end, all flows with something in them summed up: session (IMAP,
-- POP3, submission, Sieve), delivery (port 25), web-mail (HTTPS both ways with a host that serves mail so),
-- other.
CREATE TABLE traffic (
	client INTEGER NOT NULL,
	endpoint INTEGER NOT NULL,
	far BLOB NOT NULL,
	kind TEXT NOT NULL,
	originated INTEGER NOT NULL,	-- by the client
	loopback INTEGER NOT NULL,
	flows INTEGER NOT NULL,
	answered INTEGER NOT NULL,	-- of these, with payload both ways
	up INTEGER NOT NULL,		-- payload sent by the client
	down INTEGER NOT NULL,
	vendor_up INTEGER NOT NULL,	-- of up, what contacts of class vendor sent but to port 25
	unnamed_up INTEGER NOT NULL,	-- of up, what counts as sent to an endpoint that nothing names
	PRIMARY KEY (client, endpoint, far, kind, originated, loopback)
) WITHOUT ROWID;

-- The few flows that rules and reasons ask for one by one: which end is the client, and whose the other is.
CREATE TABLE contact (
	flow INTEGER PRIMARY KEY,
	client INTEGER NOT NULL,
	endpoint INTEGER NOT NULL,
	originated INTEGER NOT NULL,	-- by the client
	loopback INTEGER NOT NULL,
	far BLOB NOT NULL,
	up INTEGER NOT NULL,		-- payload sent by the client
	down INTEGER NOT NULL,
	first_ns INTEGER NOT NULL,
	last_ns INTEGER NOT NULL,
	last_frame INTEGER NOT NULL,
	resp_port INTEGER NOT NULL,
	transport TEXT,			-- of an IMAP, POP3, submission or Sieve dialogue or a delivery; else NULL
	state TEXT,			-- of state_word; NULL: none of its sessions over the wire
	unnamed INTEGER NOT NULL,	-- up counts as sent to an endpoint that nothing names
	name_frame INTEGER NOT NULL,	-- of the DNS answer that named the far end; 0: none did
	called TEXT			-- the server: by SNI, else as its endpoint or, where it came in, its address; NULL: by nothing
);

-- What a contact is asked for as, so that nobody reads all of them: vendor (up to a service that relays, by
-- whomever begun where that was not seen), setup (up to an account set-up host), web-mail (HTTPS both
-- ways), web-clear (HTTP without TLS up to a mail host), delivery (port 25, by none of the policy's
-- servers), incoming (a mail session from outside, no delivery), own-server (the policy's), opaque,
-- encrypted-dns, ech, certificate (mail, and the server showed one in clear), old-tls (mail under TLS 1.1
-- or older). A rule that asks for other flows adds a class here and in judge_contact.c. Most contacts are
-- mail, which has a transport; the rest made a disclosure, or something is known of their processes.
CREATE TABLE contact_class (
	class TEXT NOT NULL,
	flow INTEGER NOT NULL,
	PRIMARY KEY (class, flow)
) WITHOUT ROWID;

-- Why a client's verdict is what it is, beside its findings.
CREATE TABLE reason (
	place INTEGER PRIMARY KEY,
	client INTEGER NOT NULL,	-- 0: of the whole
	axis TEXT NOT NULL,		-- third_party, path, note
	sentence TEXT NOT NULL
);

-- Destinations that are the client's own business: the policy's expected: owners.
CREATE TABLE expected (owner TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE finding (
	id INTEGER PRIMARY KEY,
	key TEXT NOT NULL,	-- stays the same when the case grows: kind, client, owner, first flow
	kind TEXT NOT NULL,
	class TEXT NOT NULL,
	strength TEXT NOT NULL,
	client INTEGER NOT NULL,
	owner TEXT NOT NULL,
	account TEXT,
	mechanism TEXT,
	secret_len INTEGER,
	first_ns INTEGER NOT NULL,
	last_ns INTEGER NOT NULL,
	sentence TEXT NOT NULL,
	refuted_by TEXT NOT NULL
);

-- All of it, findings first.
CREATE VIEW because AS
SELECT client, id AS place, 'finding' AS axis, sentence FROM finding
WHERE class IN ('leak', 'exposure') AND strength <> 'suspected'
UNION ALL
SELECT client, place + (SELECT coalesce(max(id), 0) FROM finding), axis, sentence FROM reason;

CREATE TABLE finding_flow (
	finding INTEGER NOT NULL,
	flow INTEGER NOT NULL,
	PRIMARY KEY (finding, flow)
) WITHOUT ROWID;

CREATE TABLE evidence (
	finding INTEGER NOT NULL,
	frame INTEGER NOT NULL,
	PRIMARY KEY (finding, frame)
) WITHOUT ROWID;

-- Accounts whose password the user typed into the client under test alone (--canary), in small letters.
CREATE TABLE canary (account TEXT PRIMARY KEY) WITHOUT ROWID;

-- A client that sends to a vendor's mail service at one vantage point, and the logins of that vendor at
-- another that confirm it (judge_joint.c says how they are tied).
CREATE TABLE joint (
	client INTEGER NOT NULL,
	owner TEXT NOT NULL,		-- the vendor
	pull INTEGER NOT NULL,		-- the finding that tells of the logins
	flow INTEGER NOT NULL,		-- the first of them
	account TEXT NOT NULL,		-- '' where TLS hides it
	tie TEXT NOT NULL,		-- canary, account, order
	strength TEXT NOT NULL,
	contact_ns INTEGER NOT NULL,	-- when the client first had contact with the vendor, by its own clock
	login_ns INTEGER NOT NULL,	-- by the server's
	PRIMARY KEY (client, owner)
) WITHOUT ROWID;

-- Findings with more evidence than anybody reads: between these two frames none is named.
CREATE TABLE evidence_cut (
	finding INTEGER PRIMARY KEY,
	frames INTEGER NOT NULL,	-- how many that are
	after_frame INTEGER NOT NULL,
	last_frame INTEGER NOT NULL
);

CREATE TABLE verdict (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	verdict TEXT NOT NULL
);

-- Flows with something in them, which judge makes contacts and traffic of.
CREATE VIEW flow_with_content AS
SELECT * FROM flow
WHERE orig_payload > 0 OR resp_payload > 0 OR orig_missing > 0 OR resp_missing > 0;

-- A contact with all that is known of it. Left joins, so that SQLite leaves out what a query does not use.
CREATE VIEW seen AS
SELECT c.flow, c.client, c.originated, c.loopback, c.far, c.up, c.down, c.first_ns, c.last_ns, c.resp_port,
	c.transport, c.state, c.unnamed, c.last_frame, c.called, f.proto, f.app_proto, f.opaque, f.orig_seen_syn,
	f.community_id, CASE WHEN c.originated THEN f.orig_packets ELSE f.resp_packets END AS up_packets,
	CASE WHEN c.originated THEN f.orig_first_sent ELSE f.resp_first_sent END AS first_up,	-- frames
	CASE WHEN c.originated THEN f.orig_last_sent ELSE f.resp_last_sent END AS last_up,
	c.endpoint, e.owner, e.service, e.role, e.named_by, e.strength, e.relay, e.setup, e.ambiguous,
	e.name, e.named, h.frame AS hello_frame, h.sni, h.alpn, h.ech, h.version, h.completed, h.after_starttls
FROM contact AS c
LEFT JOIN endpoint AS e ON e.id = c.endpoint
LEFT JOIN flow AS f ON f.id = c.flow
LEFT JOIN handshake AS h ON h.flow = c.flow;

CREATE VIEW mail_contact AS
SELECT s.*,
	coalesce(m.proto, CASE
		WHEN s.alpn IN ('imap', 'pop3') THEN s.alpn
		WHEN s.alpn = 'managesieve' THEN 'sieve'
		WHEN s.resp_port IN (993, 143) THEN 'imap'
		WHEN s.resp_port IN (995, 110) THEN 'pop3'
		WHEN s.resp_port = 4190 THEN 'sieve'
		ELSE 'smtp' END) AS mail_proto,
	coalesce(m.mail_moved, 0) AS mail_moved,
	coalesce(m.credential, 'none') AS credential,
	coalesce(m.mechanism, '') AS mechanism,
	coalesce(m.account, '') AS account,
	coalesce(m.secret_len, 0) AS secret_len,
	coalesce(m.credential_frame, 0) AS credential_frame,
	coalesce(m.accepted, 0) AS accepted,
	s.resp_port = 25 AS delivery,
	-- Mail only because TLS to a mail host is (judge_contact.c).
	m.flow IS NULL AND s.alpn NOT IN ('imap', 'pop3', 'managesieve')
		AND s.resp_port NOT IN (25, 993, 995, 465, 143, 110, 587, 4190) AS guessed
FROM seen AS s
LEFT JOIN mail_session AS m ON m.flow = s.flow
WHERE s.transport IS NOT NULL;

-- The client's own mail sessions: not what came in, not deliveries between servers.
CREATE VIEW own_session AS
SELECT * FROM mail_contact WHERE originated AND NOT delivery;

-- The same in sums, by far end.
CREATE VIEW own_sessions AS
SELECT t.client, t.far, t.loopback, t.flows, t.answered, t.up, t.down, e.owner, e.service, e.role, e.named_by,
	e.relay, e.ambiguous, e.named
FROM traffic AS t
JOIN endpoint AS e ON e.id = t.endpoint
WHERE t.kind = 'session' AND t.originated;

-- HTTPS to the mail hosts of a client's provider: webmail, JMAP, EAS, EWS, MAPI.
CREATE VIEW web_mail_contact AS
SELECT s.* FROM contact_class AS k
CROSS JOIN seen AS s
WHERE k.class = 'web-mail' AND s.flow = k.flow AND NOT s.ambiguous
	AND EXISTS (SELECT 1 FROM client_provider AS p WHERE p.client = s.client AND p.owner = s.owner);

-- Which of its providers a client was seen with, whichever way mail goes there.
CREATE TABLE provider_contact (
	client INTEGER NOT NULL,
	owner TEXT NOT NULL,
	PRIMARY KEY (client, owner)
) WITHOUT ROWID;
CREATE VIEW meets_provider AS
SELECT s.client, s.owner FROM own_sessions AS s
JOIN client_provider AS p ON p.client = s.client AND p.owner = s.owner
WHERE s.answered > 0 AND NOT s.ambiguous
UNION
SELECT client, owner FROM web_mail_contact;

-- Up to a vendor's mail service or relay that is not the client's provider.
CREATE VIEW vendor_contact AS
SELECT s.* FROM contact_class AS k
CROSS JOIN seen AS s
WHERE k.class = 'vendor' AND s.flow = k.flow AND s.resp_port <> 25
	AND s.owner NOT IN (SELECT owner FROM client_provider AS p WHERE p.client = s.client);

-- The sums of it, and of what went to a provider that relays as well.
CREATE TABLE vendor_sum (
	client INTEGER NOT NULL,
	owner TEXT NOT NULL,
	up INTEGER NOT NULL,
	setup INTEGER NOT NULL,		-- some of it to an account set-up host
	provider INTEGER NOT NULL,	-- the client's
	PRIMARY KEY (client, owner)
) WITHOUT ROWID;

-- Clients that met a provider of theirs and sent much to a vendor's mail service beside.
CREATE VIEW mirror_candidate AS
SELECT client, owner, count(*) OVER (PARTITION BY client) AS tries FROM vendor_sum
WHERE NOT provider AND client IN (SELECT client FROM provider_contact)
	AND up >= (SELECT value FROM threshold WHERE name = 'relay-bytes');

-- Sessions in which a client may fetch mail from its provider.
CREATE VIEW fetch_session AS
SELECT s.client, s.flow, s.down, s.first_ns, s.last_ns FROM own_session AS s
JOIN client_provider AS p ON p.client = s.client AND p.owner = s.owner
WHERE s.down > 0 AND NOT s.ambiguous
UNION ALL
SELECT client, flow, down, first_ns, last_ns FROM web_mail_contact;

-- What candidates sent to the vendor, what they fetched, and how the times of the two go together.
CREATE TABLE mirror (
	client INTEGER NOT NULL,
	owner TEXT NOT NULL,
	up INTEGER NOT NULL,
	sure_up INTEGER NOT NULL,	-- of up, to hosts known by more than their address
	down INTEGER NOT NULL,		-- what the vendor sent
	flows INTEGER NOT NULL,
	first_ns INTEGER NOT NULL,
	last_ns INTEGER NOT NULL,
	fetched INTEGER NOT NULL,	-- before the last byte went up
	up_after INTEGER NOT NULL,	-- of up, what went after the first fetch began
	timing TEXT NOT NULL,		-- of timing()
	p REAL AS (timing ->> 'p'),
	PRIMARY KEY (client, owner)
) WITHOUT ROWID;

-- Through a VPN, Tor or a proxy, where others' traffic cannot be seen.
CREATE VIEW opaque_contact AS
SELECT s.* FROM contact_class AS k
CROSS JOIN seen AS s
WHERE k.class = 'opaque' AND s.flow = k.flow;

-- A client's mail session whose server showed its certificate in clear (TLS up to 1.2, not resumed). Whoever
-- delivers mail on port 25 takes any certificate unless a policy says otherwise (RFC 7435). One that a DANE-EE
-- record vouches for needs no authority, name or dates (RFC 7672 section 3.1.1), but who can forge the AD bit
-- can show a certificate to it: an answer that crossed the network vouches for none. Nor does DANE-TA: that
-- the one above signed it was not verified.
CREATE VIEW shown_certificate AS
SELECT s.flow, s.client, s.owner, s.far, s.resp_port, s.mail_proto, s.delivery, s.first_ns, s.last_ns,
	s.completed, iif(h.alert_in_clear, h.alert, NULL) AS alert, iif(h.alert_in_clear, h.alert_from, NULL)
	AS alert_from, coalesce(n.name, host(s.far)) AS server, n.name, n.sure, c.frame, c.time_ns, c.sha256,
	c.subject, c.issuer, c.name_count, c.names_cut, c.not_before, c.not_after, c.weak, c.chain, c.why,
	c.covers_sni, iif(s.delivery AND d.on_host AND d.sure AND d.outcome = 'ee-match', 'ee-match', '') AS dane,
	coalesce(n.name, host(s.far)) || '/' || hex(c.sha256) AS about,
	iif(s.delivery, 'suspected', 'strong') AS rule_strength,
	printf('%s port %d', coalesce(n.name || ' (' || host(s.far) || ')', host(s.far)), s.resp_port) AS server_words,
	iif(s.delivery, ' Between servers TLS is opportunistic: who delivers need not look at it.', '') AS delivery_words
FROM contact_class AS k
CROSS JOIN certificate AS c ON c.flow = k.flow
CROSS JOIN mail_contact AS s ON s.flow = c.flow
CROSS JOIN handshake AS h ON h.flow = c.flow
LEFT JOIN server_name AS n ON n.flow = c.flow
LEFT JOIN dane AS d ON d.flow = c.flow
WHERE k.class = 'certificate' AND c.place = 0 AND s.originated AND NOT s.loopback;

-- Losses and the client they touch; client 0 is everyone. What a flow itself says of its missing bytes
-- counts where no loss fact says it. A loss matters in any flow that is not local, and in a mail session.
CREATE TABLE client_loss (
	client INTEGER NOT NULL,
	reason TEXT NOT NULL,
	packets INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	PRIMARY KEY (client, reason)
) WITHOUT ROWID;

-- Clients of whose traffic something was not seen.
CREATE VIEW harmed_client AS
SELECT id AS client FROM client
WHERE id IN (SELECT client FROM client_loss) OR EXISTS (SELECT 1 FROM client_loss WHERE client = 0);

-- Clients of whom absence proves little: something was not seen, a tunnel may hide what went to the provider,
-- or a mail session went to a server that nothing names, or that may be the provider's by another name. One at home
-- needs no name to be somebody's own.
CREATE VIEW doubtful_client AS
SELECT client FROM harmed_client
UNION SELECT client FROM own_sessions WHERE (NOT named OR ambiguous) AND role <> 'local' AND NOT loopback
UNION SELECT client FROM other_name
UNION SELECT client FROM opaque_contact WHERE up >= (SELECT value FROM threshold WHERE name = 'unnamed-bytes');

-- The frames of a flow that show whose it is and how far it went: ClientHello (else the first), last.
CREATE VIEW flow_frame AS
SELECT f.id AS flow, e.last,
	iif(e.last, f.last_frame, coalesce((SELECT frame FROM handshake WHERE flow = f.id), f.id)) AS frame
FROM flow AS f
CROSS JOIN (SELECT 0 AS last UNION ALL SELECT 1) AS e;

-- The frames of a contact that show what its client sent: ClientHello, and the first and the last with payload.
-- 0 or NULL where there is none.
CREATE VIEW upload_frame AS
SELECT s.flow, CASE e.place WHEN 0 THEN s.hello_frame WHEN 1 THEN s.first_up ELSE s.last_up END AS frame
FROM seen AS s
CROSS JOIN (SELECT 0 AS place UNION ALL SELECT 1 UNION ALL SELECT 2) AS e;

-- What a frame shows, for those that facts name.
CREATE VIEW frame_note AS
SELECT frame, iif(sni <> '', 'ClientHello for ' || sni, 'ClientHello without a name') AS note FROM handshake
UNION ALL
SELECT server_frame, 'ServerHello' FROM handshake
UNION ALL
SELECT frame, 'certificate of ' || subject FROM certificate WHERE place = 0
UNION ALL
SELECT credential_frame, printf('login by %s%s', mechanism, iif(account <> '', ' as ' || account, ''))
FROM mail_session
UNION ALL
SELECT id, printf('DNS answer: %s is %s', name, host(address)) FROM name WHERE kind = 'dns'
UNION ALL
SELECT id, printf('DNS %s: %s %s%s', iif(answered, 'answer', 'question'), type, name,
	iif(rdata <> '', ' is ' || rdata, '')) FROM mail_dns
UNION ALL
SELECT frame, printf('%s request to %s with the address %s', kind, host, account) FROM disclosure
UNION ALL
SELECT iif(e.last, s.last_up, s.first_up), printf('%s bytes sent up to %s', iif(e.last, 'last', 'first'),
	coalesce(nullif(s.sni, ''), nullif(s.name, ''), host(s.far)))
FROM seen AS s
CROSS JOIN (SELECT 0 AS last UNION ALL SELECT 1) AS e
UNION ALL
SELECT id, 'first packet of ' || community_id FROM flow
UNION ALL
SELECT last_frame, 'last packet of ' || community_id FROM flow;

-- What a mail server is called where nothing names it in a session itself: the one name that others of its
-- address and port have.
CREATE TABLE address_name (
	address BLOB NOT NULL,
	port INTEGER NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (address, port)
) WITHOUT ROWID;

-- A contact and what the server in it is called.
CREATE VIEW served AS
SELECT s.*, coalesce(s.called, (SELECT n.name FROM address_name AS n WHERE n.address = s.far AND n.port = s.resp_port),
	host(s.far)) AS server
FROM seen AS s;

-- Mail sessions over the wire in which something could be read that a reader has use for, or in which TLS was
-- kept from beginning. Loopback is not the wire. The few of all sessions that exposure rules ask for.
-- In the order of peers, so that a rule can sum them up by peer without sorting.
CREATE TABLE clear_session (
	peer INTEGER NOT NULL,		-- the number of its client, owner, server and port
	login INTEGER NOT NULL,		-- the number of its client, owner, account and mechanism; 0: no readable credential of use
	flow INTEGER NOT NULL,
	client INTEGER NOT NULL,
	owner TEXT NOT NULL,
	originated INTEGER NOT NULL,
	far BLOB NOT NULL,
	port INTEGER NOT NULL,
	server TEXT NOT NULL,
	proto TEXT NOT NULL,
	transport TEXT NOT NULL,
	first_ns INTEGER NOT NULL,
	last_ns INTEGER NOT NULL,
	last_frame INTEGER NOT NULL,
	frame INTEGER NOT NULL,		-- of the login, else the last
	offered INTEGER NOT NULL,	-- STARTTLS, in this session
	mail_moved INTEGER NOT NULL,
	went_on INTEGER NOT NULL,	-- the client logged in, sent or asked for more while it was in clear
	preauth INTEGER NOT NULL,
	injected INTEGER NOT NULL,	-- bytes in clear where TLS had to begin
	credential_frame INTEGER NOT NULL,
	secret_len INTEGER NOT NULL,
	let_in INTEGER NOT NULL,	-- where it could be read that the server let its client in, by an address
	PRIMARY KEY (peer, flow)
) WITHOUT ROWID;

-- The one mail server of a client whose provider is not known, where it could be read that it let the client in each
-- time, by an address: whatever it is called, the account is there. A mere user name says nothing of whose account it
-- is, and a server under TLS shows nothing of the kind.
CREATE TABLE only_server (
	client INTEGER PRIMARY KEY,
	far BLOB NOT NULL
);
CREATE VIEW sole_server AS
SELECT o.client, o.far
FROM (SELECT client, count(*) AS let_in FROM clear_session WHERE let_in GROUP BY client) AS l
JOIN (SELECT client, min(far) AS far, sum(flows) AS flows FROM own_sessions
	WHERE client IN (SELECT client FROM clear_session WHERE let_in) AND NOT loopback
		AND client NOT IN (SELECT client FROM client_provider)
	GROUP BY client
	HAVING min(far) = max(far) AND max(relay) = 'no' AND min(relay) = 'no') AS o ON o.client = l.client AND o.flows = l.let_in;

-- The peers with whom a client went on in clear.
CREATE TABLE clear_peer (
	client INTEGER NOT NULL,
	server TEXT NOT NULL,
	port INTEGER NOT NULL,
	peer INTEGER NOT NULL,
	PRIMARY KEY (client, server, port, peer)
) WITHOUT ROWID;

CREATE VIEW session_to_look_at AS
SELECT number_of(s.client, s.owner, s.server, s.resp_port) AS peer,
	iif(m.credential IN ('reusable', 'guessable'), number_of(s.client, s.owner, m.account, m.mechanism, ''), 0) AS login,
	s.flow, s.client, s.owner, s.originated, s.far, s.resp_port, s.server, m.proto, m.transport,
	s.first_ns, s.last_ns, s.last_frame, coalesce(nullif(m.credential_frame, 0), s.last_frame) AS frame,
	m.starttls_offered, m.mail_moved,
	-- What is dear is asked last: else SQLite would look at all of it.
	CASE WHEN m.mail_moved OR m.preauth OR m.credential <> 'none' OR m.transport = 'starttls-offered-not-used'
			OR m.recipient_domain <> '' THEN 1
		ELSE m.dialogue GLOB '*[cr]*[LAMmX]*' END AS went_on,
	m.preauth, m.injected_by_client > 0 OR m.injected_by_server > 0 AS injected, m.credential_frame, m.secret_len,
	CASE WHEN s.originated AND m.accepted AND m.transport NOT IN ('implicit-tls', 'starttls-used', 'unknown')
		THEN m.account GLOB '*?@?*.?*' ELSE 0 END AS let_in
FROM mail_session AS m
CROSS JOIN served AS s
WHERE s.flow = m.flow AND NOT s.loopback
	AND (m.transport NOT IN ('implicit-tls', 'starttls-used', 'unknown') OR m.mail_moved OR m.preauth
		OR m.credential <> 'none' OR m.injected_by_client > 0 OR m.injected_by_server > 0);

-- The baseline: where STARTTLS was missing or not understood, how often it had been offered before, by a server
-- of that name on that port; earlier_same: by one that called itself the same (judge_path.c).
CREATE TABLE starttls_offer (
	flow INTEGER PRIMARY KEY,
	earlier INTEGER NOT NULL,
	earlier_same INTEGER NOT NULL
);
-- In the order of time, what it is counted from: peer and same_peer are numbers of such servers.
CREATE VIEW offer_of_session AS
WITH lacking AS MATERIALIZED (
	SELECT DISTINCT server, port FROM clear_session WHERE NOT offered AND transport IN ('plaintext', 'starttls-refused')
)
SELECT flow, offered, number_of(server, port, 'any') AS peer, number_of(server, port, banner_host, 'same') AS same_peer
FROM (SELECT s.flow, s.server, s.resp_port AS port, banner_host(m.banner) AS banner_host,
		m.starttls_offered AS offered, s.first_ns
	FROM mail_session AS m
	CROSS JOIN served AS s
	WHERE s.flow = m.flow AND (m.starttls_offered OR m.offers_seen OR m.starttls_asked)
		AND s.resp_port IN (SELECT port FROM lacking) AND (s.server, s.resp_port) IN (SELECT server, port FROM lacking))
ORDER BY first_ns, flow;

-- One of them with what rules say of it.
CREATE VIEW clear_contact AS
SELECT s.*, iif(s.originated, host(c.address), host(s.far)) AS opener,
	CASE WHEN NOT s.originated THEN host(c.address)
		WHEN s.server = host(s.far) THEN s.server
		ELSE printf('%s (%s)', s.server, host(s.far)) END AS server_text,
	printf('%s port %d', iif(s.proto = 'sieve', 'Sieve', upper(s.proto)), s.port) AS service_text,
	printf('%s port %d', s.server, s.port) AS about, m.refusal, m.signature, m.injected_by_client, m.injected_by_server
FROM clear_session AS s
CROSS JOIN client AS c
LEFT JOIN mail_session AS m ON m.flow = s.flow
WHERE c.id = s.client;

-- The certificate that a session's server showed. covers: whether it is for the name asked for (SNI), else for
-- the one looked up; NULL is not known. vouched: TLSA records do in the stead of authorities.
CREATE VIEW server_certificate AS
SELECT s.flow, s.chain, s.dane <> '' AS vouched, CASE
	WHEN s.covers_sni >= 0 THEN s.covers_sni
	WHEN s.sure IS NOT 1 OR s.name_count = 0 THEN NULL
	WHEN EXISTS (SELECT 1 FROM name AS n WHERE n.id = s.frame AND n.kind = 'certificate'
		AND covers(n.name, s.name)) THEN 1
	WHEN s.names_cut THEN NULL
	ELSE 0 END AS covers
FROM shown_certificate AS s;

-- The sessions of which only others, or the certificate, tell how they were protected. That a client would have
-- refused to go on without STARTTLS cannot be seen while STARTTLS works. Only where it went on in clear with the
-- same server at another time, be it after a broken handshake, is it known that it would not have.
CREATE VIEW state_to_refine AS
SELECT s.flow, s.client, s.state AS before, CASE
	WHEN NOT x.vouched AND (x.chain NOT IN ('trusted', 'not-judged') OR x.covers = 0) THEN 'bad_certificate'
	WHEN s.transport = 'starttls-used' AND EXISTS (SELECT 1 FROM clear_peer AS c
		WHERE c.client = s.client AND c.server = s.server AND c.port = s.resp_port)
		THEN 'opportunistic'
	WHEN x.flow IS NULL THEN s.state
	WHEN x.chain = 'not-judged' AND NOT x.vouched THEN 'no_store'
	WHEN x.covers = 1 OR x.vouched THEN 'sealed'
	ELSE 'no_name' END AS after
FROM (SELECT flow FROM contact_class WHERE class = 'certificate'
	UNION SELECT m.flow FROM mail_session AS m
	CROSS JOIN contact AS c
	WHERE m.transport = 'starttls-used' AND c.flow = m.flow
		AND c.client IN (SELECT client FROM clear_peer)) AS d
CROSS JOIN served AS s
LEFT JOIN server_certificate AS x ON x.flow = s.flow
WHERE s.flow = d.flow AND s.state IN ('hidden', 'resumed', 'certificate_not_seen');

-- How each of a client's sessions and deliveries over the wire was protected: one of state_word for each.
CREATE VIEW session_state AS
SELECT client, flow, state FROM contact WHERE state IS NOT NULL;

-- What a state counts as on the transport line, and what it is called there.
CREATE TABLE state_word (
	place INTEGER PRIMARY KEY,
	state TEXT NOT NULL UNIQUE,
	counts_as TEXT NOT NULL,
	words TEXT NOT NULL
);
INSERT INTO state_word VALUES
	(1, 'sealed', 'sealed', 'sealed'),
	(2, 'hidden', 'sealed_not_judged', 'sealed (certificate hidden by TLS 1.3)'),
	(3, 'resumed', 'sealed_not_judged', 'sealed (resumed, certificate not shown again)'),
	(4, 'no_store', 'sealed_not_judged', 'sealed (no CA store to judge the certificate by)'),
	(5, 'no_name', 'sealed_not_judged', 'sealed (certificate trusted, but the host name is not known)'),
	(6, 'bad_certificate', 'sealed_bad_certificate', 'under TLS with a bad certificate'),
	(7, 'opportunistic', 'opportunistic', 'under STARTTLS that the client does without as well'),
	(8, 'postcard', 'postcard', 'postcard'),
	(9, 'certificate_not_seen', 'unknown', 'under TLS, certificate not seen'),
	(10, 'incomplete', 'unknown', 'without a completed TLS handshake'),
	(11, 'unknown', 'unknown', 'unknown');

-- How many of them in each state.
CREATE TABLE client_state (
	client INTEGER NOT NULL,
	state TEXT NOT NULL,
	sessions INTEGER NOT NULL,
	unread INTEGER NOT NULL,	-- of postcards, those in which neither mail nor a credential of use to a reader was read
	PRIMARY KEY (client, state)
) WITHOUT ROWID;

CREATE VIEW client_transport AS
SELECT c.id AS client, coalesce(sum(s.sessions) FILTER (WHERE w.counts_as = 'sealed'), 0) AS sealed,
	coalesce(sum(s.sessions) FILTER (WHERE w.counts_as = 'sealed_not_judged'), 0) AS sealed_not_judged,
	coalesce(sum(s.sessions) FILTER (WHERE w.counts_as = 'sealed_bad_certificate'), 0) AS sealed_bad_certificate,
	coalesce(sum(s.sessions) FILTER (WHERE w.counts_as = 'opportunistic'), 0) AS opportunistic,
	coalesce(sum(s.sessions) FILTER (WHERE w.counts_as = 'postcard'), 0) AS postcard,
	coalesce(sum(s.sessions) FILTER (WHERE w.counts_as = 'unknown'), 0) AS unknown
FROM client AS c
LEFT JOIN client_state AS s ON s.client = c.id
LEFT JOIN state_word AS w ON w.state = s.state
WHERE c.judged
GROUP BY c.id;

-- What a judged client sent to others than local hosts, by whose they are and how that is known.
CREATE TABLE destination (
	client INTEGER NOT NULL,
	owner TEXT NOT NULL,
	service TEXT NOT NULL,
	role TEXT NOT NULL,
	named_by TEXT NOT NULL,
	strength TEXT NOT NULL,
	bytes_up INTEGER NOT NULL,
	bytes_down INTEGER NOT NULL,
	flows INTEGER NOT NULL,
	PRIMARY KEY (client, owner, service, role, named_by, strength)
) WITHOUT ROWID;
CREATE VIEW sent_to AS
SELECT t.client, e.owner, e.service, e.role, e.named_by, e.strength, t.bytes_up, t.bytes_down, t.flows
FROM (SELECT t.client, e.alike, sum(t.up) AS bytes_up, sum(t.down) AS bytes_down, sum(t.flows) AS flows
	FROM traffic AS t
	JOIN endpoint AS e ON e.id = t.endpoint
	WHERE NOT t.loopback AND t.client IN (SELECT id FROM client WHERE judged) AND e.role <> 'local'
	GROUP BY t.client, e.alike) AS t
JOIN endpoint AS e ON e.id = t.alike;

-- The negative proof: every byte of payload that a judged client was seen to send, and where the ledger has it.
CREATE TABLE client_balance (
	client INTEGER PRIMARY KEY,
	sent INTEGER NOT NULL,		-- client_coverage
	to_provider INTEGER NOT NULL,	-- this and the next three: table destination
	to_others INTEGER NOT NULL,
	others INTEGER NOT NULL,	-- owners
	to_unnamed INTEGER NOT NULL,	-- addresses that nothing names
	to_local INTEGER NOT NULL,
	to_clients INTEGER NOT NULL	-- answers to other clients of this case
);
CREATE VIEW balance AS
SELECT *, sent = to_provider + to_others + to_unnamed + to_local + to_clients AS complete
FROM client_balance;

-- Coverage as a line of text.
CREATE VIEW coverage_words AS
SELECT c.id AS client, printf('watched %s, %,d packet%s, %s up; %s', CASE
		WHEN c.watched_ns < 120e9 THEN printf('%.1f s', c.watched_ns / 1e9)
		WHEN c.watched_ns < 7200e9 THEN printf('%d min', c.watched_ns / 60000000000)
		WHEN c.watched_ns < 172800e9 THEN printf('%d h', c.watched_ns / 3600000000000)
		ELSE printf('%d days', c.watched_ns / 86400000000000) END,
	v.packets, iif(v.packets = 1, '', 's'), CASE
		WHEN v.payload_up < 10000 THEN printf('%,d bytes', v.payload_up)
		WHEN v.payload_up < 10000000 THEN printf('%,d kB', v.payload_up / 1000)
		ELSE printf('%,d MB', v.payload_up / 1000000) END,
	coalesce((SELECT 'missing: ' || group_concat(what, ', ') FROM (
		SELECT reason || iif(packets > 0, printf(' %,d packet%s', packets, iif(packets = 1, '', 's')), '')
			|| iif(bytes > 0, printf(' %,d byte%s', bytes, iif(bytes = 1, '', 's')), '') AS what
		FROM client_loss WHERE client IN (0, c.id)
		UNION ALL SELECT 'what the filter left out' WHERE EXISTS (SELECT 1 FROM run WHERE filter <> ''))),
		'nothing known to be missing')) AS words
FROM client AS c
JOIN client_coverage AS v ON v.client = c.id;

-- Findings that make a path exposed. A client that gave up when TLS was kept from it has shown nobody anything.
CREATE VIEW exposing_finding AS
SELECT f.id AS finding, f.client FROM finding AS f
WHERE f.class = 'exposure' AND f.strength IN ('proven', 'strong')
	AND EXISTS (SELECT 1 FROM finding_flow AS w WHERE w.finding = f.id AND NOT EXISTS
		(SELECT 1 FROM clear_session AS s WHERE s.flow = w.flow AND NOT s.went_on
			AND s.transport IN ('plaintext', 'starttls-stripped', 'starttls-refused')));

-- Verdicts of the accounts of judged clients that could be read in a session, a request or a finding.
CREATE TABLE account_verdict (
	client INTEGER NOT NULL,
	account TEXT NOT NULL,
	third_party TEXT NOT NULL,	-- these as in client
	path TEXT NOT NULL,
	verdict TEXT NOT NULL,
	PRIMARY KEY (client, account)
) WITHOUT ROWID;

-- Which findings concern the accounts of a client with several: those that name the account, those with one of its
-- flows, and those that say nothing of any account, which concern every one of the client.
CREATE TABLE shared_finding (
	client INTEGER NOT NULL,
	account TEXT NOT NULL,
	finding INTEGER NOT NULL,
	PRIMARY KEY (client, account, finding)
) WITHOUT ROWID;
-- All concern the only one.
CREATE VIEW account_finding AS
SELECT client, account, finding FROM shared_finding
UNION ALL
SELECT a.client, a.account, f.id FROM account_verdict AS a
JOIN finding AS f ON f.client = a.client
WHERE NOT EXISTS (SELECT 1 FROM account_verdict AS o WHERE o.client = a.client AND o.account <> a.account);

-- As a line of text. named: a leak of it names it.
CREATE VIEW account_words AS
SELECT a.client, a.account, a.verdict, a.third_party, a.path,
	a.third_party <> 'leak' OR EXISTS (SELECT 1 FROM account_finding AS x JOIN finding AS f ON f.id = x.finding
		WHERE x.client = a.client AND x.account = a.account AND f.class = 'leak' AND f.strength <> 'suspected'
			AND f.account = a.account) AS named
FROM account_verdict AS a;

-- What the exports say of a flow in every record (records/*.sql), by the field names of Suricata's EVE and of Zeek.
-- Columns that begin with _ are not written.
CREATE VIEW eve_head AS
SELECT f.id AS _flow, f.first_ns AS _first_ns, f.last_ns AS _last_ns, f.id AS flow_id,
	iif(s.sha256 = '', s.path, NULL) AS in_iface, iif(s.sha256 <> '', s.path, NULL) AS pcap_filename,
	nullif(f.vlan, 0) AS "vlan:numbers", host(f.orig_addr) AS src_ip, f.orig_port AS src_port,
	host(f.resp_addr) AS dest_ip, f.resp_port AS dest_port,
	CASE f.proto WHEN 6 THEN 'TCP' WHEN 17 THEN 'UDP' WHEN 1 THEN 'ICMP' WHEN 58 THEN 'IPv6-ICMP' WHEN 132 THEN 'SCTP'
		ELSE printf('%03d', f.proto) END AS proto,
	iif(substr(f.orig_addr, 1, 12) = X'00000000000000000000FFFF', 4, 6) AS ip_v,
	nullif(f.app_proto, '') AS app_proto, f.community_id
FROM flow AS f
JOIN source AS s ON s.number = f.id >> 40;

CREATE VIEW zeek_head AS
SELECT f.id AS _flow, f.first_ns AS _first_ns, f.first_ns AS "ts:time", zeek_uid(f.id, f.community_id) AS "uid:string",
	host(f.orig_addr) AS "id.orig_h:addr", f.orig_port AS "id.orig_p:port",
	host(f.resp_addr) AS "id.resp_h:addr", f.resp_port AS "id.resp_p:port"
FROM flow AS f;
