#include "report/serve_part.h"

#include "capture/base.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

void serve_set_token(struct serve *s, const char *token)
{
	base_checked(EVP_Digest(token, strlen(token), s->token, NULL, EVP_sha256(), NULL) == 1 ? s : NULL);
	s->has_token = true;
}

/* In constant time: what is compared are hashes. */
static bool is_token(const struct serve *s, const char *text, size_t len)
{
	uint8_t digest[SERVE_DIGEST];

	base_checked(EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL) == 1 ? digest : NULL);
	return CRYPTO_memcmp(digest, s->token, SERVE_DIGEST) == 0;
}

/* "Bearer TOKEN", or the password of "Basic", which browsers ask their user for; whoever that is. */
bool serve_may_ask(const struct serve *s, struct MHD_Connection *c)
{
	const char *said = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
	unsigned char decoded[1024];
	const char *password;
	int len;

	if (!s->has_token)
		return true;
	if (said == NULL)
		return false;
	if (strncasecmp(said, "Bearer ", 7) == 0)
		return is_token(s, said + 7, strlen(said + 7));
	if (strncasecmp(said, "Basic ", 6) != 0 || strlen(said + 6) % 4 != 0 || strlen(said + 6) > 1024)
		return false;
	len = EVP_DecodeBlock(decoded, (const unsigned char *)said + 6, (int)strlen(said + 6));
	for (size_t n = strlen(said); len > 0 && n > 0 && said[n - 1] == '='; n--)
		len--;
	password = len > 0 ? memchr(decoded, ':', (size_t)len) : NULL;
	return password != NULL && is_token(s, password + 1, (size_t)len - (size_t)(password + 1 - (const char *)decoded));
}

/* By which name it is asked: a page elsewhere, whose name somebody let lead here, does not know ours (DNS
 * rebinding). Whoever knows the token may call it what he likes. */
bool serve_is_our_name(const struct serve *s, struct MHD_Connection *c)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
	size_t n;

	if (host == NULL)
		return false;
	n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (n > strlen(host) || (host[n] != '\0' && host[n] != ':'))
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (s->loopback && strlen(names[i]) == n && strncasecmp(host, names[i], n) == 0)
			return true;
	if (s->settings.proxy != NULL)
		return strlen(s->settings.proxy) == n && strncasecmp(host, s->settings.proxy, n) == 0;
	return s->has_token;
}
