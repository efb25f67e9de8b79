/* A webhook: JSON by POST, signed where the policy has a key. The only user of libcurl. */
#include "report/notify_part.h"

#include "capture/base.h"
#include "report/emit_words.h"

#include <curl/curl.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECT_S 5L
#define WHOLE_S 10L

static char *body_of(const struct notify_news *news)
{
	char *body = NULL;
	size_t size;
	struct emit_json_writer w = { .out = base_checked(open_memstream(&body, &size)) };

	emit_json_open(&w, NULL, '{');
	emit_json_time(&w, "timestamp", news->time_ns);
	emit_json_string(&w, "event_type", news->event);
	emit_json_string(&w, "key", news->key);
	emit_json_string(&w, "kind", news->kind);
	emit_json_string(&w, "class", news->class);
	emit_json_string(&w, "strength", news->strength);
	emit_json_string(&w, "client", news->client);
	emit_json_string(&w, "owner", news->owner[0] != '\0' ? news->owner : NULL);
	emit_json_string(&w, "account", news->account[0] != '\0' ? news->account : NULL);
	emit_json_string(&w, "sentence", news->sentence);
	emit_json_close(&w, '}');
	fclose(w.out);
	return body;
}

/* HMAC-SHA256 over the time, a dot and the body, so that nobody can send it again on another day. */
static struct curl_slist *sign(struct curl_slist *headers, const char *secret, const char *body)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_size = 0;
	size_t n = strlen(body) + 32;
	char *text = base_alloc(n), line[160];
	long long now = (long long)time(NULL);
	int at;

	snprintf(text, n, "%lld.%s", now, body);
	base_checked(HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, strlen(text), mac,
			  &mac_size));
	free(text);
	snprintf(line, sizeof(line), "X-Mailwitness-Timestamp: %lld", now);
	headers = base_checked(curl_slist_append(headers, line));
	at = snprintf(line, sizeof(line), "X-Mailwitness-Signature: sha256=");
	for (unsigned i = 0; i < mac_size; i++)
		at += snprintf(line + at, sizeof(line) - (size_t)at, "%02x", mac[i]);
	return base_checked(curl_slist_append(headers, line));
}

static size_t ignore(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

bool notify_webhook(const struct policy_notify *to, const char *secret, const struct notify_news *news, char *why,
		    size_t why_size)
{
	CURL *curl = base_checked(curl_easy_init());
	struct curl_slist *headers = base_checked(curl_slist_append(NULL, "Content-Type: application/json"));
	char *body = body_of(news);
	long status = 0;
	CURLcode rc;

	if (secret != NULL)
		headers = sign(headers, secret, body);
	curl_easy_setopt(curl, CURLOPT_URL, to->to);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");	/* nor one of the environment: it goes there and nowhere else */
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "mailwitness");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, WHOLE_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	rc = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (rc != CURLE_OK)
		snprintf(why, why_size, "%s", curl_easy_strerror(rc));
	else if (status < 200 || status > 299)
		snprintf(why, why_size, "HTTP status %ld", status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	free(body);
	return rc == CURLE_OK && status >= 200 && status <= 299;
}
