-- Zeek's conn.log. Sizes of IP packets are not kept, nor which hosts are local: unset.
SELECT z.*, CASE f.proto WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 1 THEN 'icmp' WHEN 58 THEN 'icmp'
		ELSE 'unknown_transport' END AS "proto:enum",
	(SELECT group_concat(s, ',') FROM (
		SELECT iif(f.app_proto IN ('tls', 'quic'), replace(f.app_proto, 'tls', 'ssl'), nullif(f.app_proto, '')) AS s
		UNION SELECT 'ssl' WHERE f.app_proto <> 'quic' AND EXISTS (SELECT 1 FROM handshake AS t WHERE t.flow = f.id)))
		AS "service:string",
	iif(f.last_ns > f.first_ns, f.last_ns - f.first_ns, NULL) AS "duration:interval",
	f.orig_payload AS "orig_bytes:count", f.resp_payload AS "resp_bytes:count",
	CASE WHEN f.proto <> 6 THEN iif(f.resp_packets > 0, 'SF', 'S0')
		WHEN f.history NOT GLOB '*S*' THEN CASE
			WHEN f.history GLOB '*h*' THEN iif(f.history GLOB '*r*', 'RSTRH', iif(f.history GLOB '*f*', 'SHR', 'OTH'))
			ELSE 'OTH' END
		WHEN f.history GLOB '*h*' THEN CASE
			WHEN f.history GLOB '*R*' THEN 'RSTO'
			WHEN f.history GLOB '*r*' THEN 'RSTR'
			WHEN f.history GLOB '*F*' AND f.history GLOB '*f*' THEN 'SF'
			WHEN f.history GLOB '*F*' THEN 'S2'
			WHEN f.history GLOB '*f*' THEN 'S3'
			ELSE 'S1' END
		WHEN f.history GLOB '*r*' THEN 'REJ'
		WHEN f.history GLOB '*R*' THEN 'RSTOS0'
		WHEN f.history GLOB '*F*' THEN 'SH'
		ELSE 'S0' END AS "conn_state:string",
	NULL AS "local_orig:bool", NULL AS "local_resp:bool",
	f.orig_missing + f.resp_missing AS "missed_bytes:count", nullif(f.history, '') AS "history:string",
	f.orig_packets AS "orig_pkts:count", NULL AS "orig_ip_bytes:count",
	f.resp_packets AS "resp_pkts:count", NULL AS "resp_ip_bytes:count",
	NULL AS "tunnel_parents:set[string]", f.proto AS "ip_proto:count", f.community_id AS "community_id:string"
FROM flow AS f
JOIN zeek_head AS z ON z._flow = f.id
ORDER BY z._first_ns, f.id
