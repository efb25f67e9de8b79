/* Names from the wire hold any byte: on a page they stay text, and nobody is shown what misleads. */
#include "tests/test.h"

#include "report/html.h"
#include "report/html_style.h"

#include <openssl/evp.h>

static char *data;
static size_t size;

static struct html begin(void)
{
	return (struct html){ .out = open_memstream(&data, &size) };
}

static void expect(struct html *h, const char *name, const char *wanted)
{
	fclose(h->out);
	if (strcmp(data, wanted) != 0)
		fail_msg("%s: %s, not %s", name, data, wanted);
	free(data);
}

static void text_stays_text(void **state)
{
	static const struct {
		const char *name, *text, *wanted;
	} cases[] = {
		{ "markup", "<b>&amp;\"'</b>", "&lt;b&gt;&amp;amp;&quot;&#39;&lt;/b&gt;" },
		{ "a comment", "<!-- -->", "&lt;!-- --&gt;" },
		{ "control characters", "a\x1b[2J\n\t", "a\\x1b[2J\\x0a\\x09" },
		{ "right-to-left override", "\xe2\x80\xaegpj.exe", "\\xe2\\x80\\xaegpj.exe" },
		{ "isolates", "\xe2\x81\xa7x\xe2\x81\xa9", "\\xe2\\x81\\xa7x\\xe2\\x81\\xa9" },
		{ "bytes that are no UTF-8", "\xff\xc0\xaf", "\\xff\\xc0\\xaf" },
		{ "no character", "\xef\xbf\xbf", "\\xef\\xbf\\xbf" },
		{ "other scripts", "\xd7\xa9\xd7\x9c \xe4\xbd\xa0", "\xd7\xa9\xd7\x9c \xe4\xbd\xa0" },
		{ "a backslash", "\\x00", "\\x00" },
		{ "nothing", "", "" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct html h = begin();
		char both[256];

		html_text(&h, cases[i].text);
		expect(&h, cases[i].name, cases[i].wanted);
		h = begin();
		html_empty(&h, "img", "alt", cases[i].text, NULL);
		snprintf(both, sizeof(both), "<img alt=\"%s\"/>\n", cases[i].wanted);
		expect(&h, cases[i].name, both);
	}
}

static void what_is_too_long_is_cut_where_it_says_so(void **state)
{
	static const struct {
		const char *name, *text;
		unsigned columns;
		const char *wanted;
	} cases[] = {
		{ "fits", "abcd", 4, "abcd" },
		{ "one more", "abcde", 4, "abcd… [cut: 5 bytes in all]" },
		{ "markup at the end", "abc<e", 4, "abc&lt;… [cut: 5 bytes in all]" },
		{ "letters of two bytes", "\xc3\xa4\xc3\xb6\xc3\xbc", 2, "\xc3\xa4\xc3\xb6… [cut: 6 bytes in all]" },
		{ "no half of an escape", "abc\x1b", 4, "abc… [cut: 4 bytes in all]" },
		{ "nothing fits", "ab", 0, "… [cut: 2 bytes in all]" },
	};
	char *name = malloc(65537);

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct html h = begin();

		html_text_cut(&h, cases[i].text, cases[i].columns);
		expect(&h, cases[i].name, cases[i].wanted);
	}
	struct html h = begin();

	memset(name, 'a', 65536);
	name[65536] = '\0';
	html_text(&h, name);
	fclose(h.out);
	assert_int_equal(size, HTML_TEXT_MAX + strlen("… [cut: 65536 bytes in all]"));
	assert_string_equal(data + HTML_TEXT_MAX, "… [cut: 65536 bytes in all]");
	free(data);
	free(name);
}

static void every_element_is_closed_in_its_turn(void **state)
{
	struct html h = begin();

	(void)state;
	html_open(&h, "ul", "class", NULL, "id", "x", NULL);
	html_element(&h, "li", "1 < 2", NULL);
	html_open(&h, "li", NULL);
	html_element(&h, "b", "a", NULL);
	html_printf(&h, "%s%d", "&", 3);
	html_page_close(&h);
	expect(&h, "a list", "<ul id=\"x\"><li>1 &lt; 2</li>\n<li><b>a</b>&amp;3</li>\n</ul>\n");
}

static void the_policy_names_the_style_that_is_in_the_page(void **state)
{
	unsigned char digest[32], text[64];
	char policy[HTML_POLICY_SIZE];
	struct html h = begin();
	const char *style, *end;

	(void)state;
	html_page_open(&h, "</title>", "");
	html_page_close(&h);
	fclose(h.out);
	style = strstr(data, "<style>") + strlen("<style>");
	end = strstr(style, "</style>");
	EVP_Digest(style, (size_t)(end - style), digest, NULL, EVP_sha256(), NULL);
	EVP_EncodeBlock(text, digest, sizeof(digest));
	html_policy("", policy);
	assert_non_null(strstr(policy, (const char *)text));
	assert_non_null(strstr(policy, "default-src 'none'; "));
	assert_null(strstr(policy, "unsafe"));
	assert_null(strstr(html_style, "<"));
	assert_null(strstr(html_style, "url("));
	assert_non_null(strstr(data, "<title>&lt;/title&gt;</title>"));
	free(data);
	html_policy("script-src 'self'", policy);
	assert_non_null(strstr(policy, "; script-src 'self'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays_text),
		cmocka_unit_test(what_is_too_long_is_cut_where_it_says_so),
		cmocka_unit_test(every_element_is_closed_in_its_turn),
		cmocka_unit_test(the_policy_names_the_style_that_is_in_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
