/* mask.h - overwrites what a packet that is handed on must not show: credentials and mail
 *
 * Only words of fixed lists stay (commands, mechanisms, reply codes) where a line has the shape of a command or an
 * answer, and before a login the server's own lines; all else of a dialogue in clear becomes '*', each byte for itself, line ends excepted. So a secret
 * is gone wherever it stands, also in a packet that begins in the middle of it.
 *
 * Thread: any. Memory: none. Errors: none. */
#ifndef CAPTURE_MASK_H
#define CAPTURE_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each overwrites in place and returns how many bytes. */

/* IMAP, POP3, SMTP, Sieve. `public`: nothing but greetings, offers and replies can come from this side here. */
size_t mask_mail(uint8_t *data, size_t n, bool public);
/* Of a connection that went from such a dialogue to TLS: text before the first record, and a packet that is nothing but
 * text, for it may be one of before, sent again. */
size_t mask_sealed(uint8_t *data, size_t n);
/* HTTP/1: of the request line method, path, and the parameters that hold a mail address; Host. */
size_t mask_http(uint8_t *data, size_t n);
size_t mask_all(uint8_t *data, size_t n);

#endif
