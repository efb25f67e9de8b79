/* smtp_text.h - what can be said of SMTP text without its dialogue
 *
 * Thread: any. Memory: none. */
#ifndef CLASSIFY_SMTP_TEXT_H
#define CLASSIFY_SMTP_TEXT_H

#include "classify/mail_line.h"

/* Who speaks so: a greeting is the server's; EHLO, XCLIENT and their like the client's. */
enum mail_speaker smtp_speaker(struct bytes first);

/* The domain of the mailbox in "TO:<...>" (RFC 5321 section 4.1.2, RFC 6531), in lower case and without a dot
 * at its end; source routes and quoted local parts are passed over. "" when there is none, when it is an
 * address literal, or when no domain is written so. */
void smtp_recipient_domain(struct bytes line, char out[FACT_NAME_SIZE]);

/* A reply's code with the enhanced code (RFC 3463) that its text begins with: "454 4.7.0"; as Cisco's
 * inspection has it: "500 #5.5.1". */
void smtp_refusal(unsigned code, struct bytes text, char out[FACT_WORD_SIZE]);

#endif
