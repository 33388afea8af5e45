/* Roles and tokens for tests: files in a folder of their own. */
#ifndef TESTS_HTTP_ACCESS_H
#define TESTS_HTTP_ACCESS_H

#include "http/roles.h"
#include "http/tokens.h"

typedef struct test_access {
    char directory[64];
    char tokens[96], roles[96]; /* paths */
} test_access;

/* roles  the text of the file; NULL: none is written */
void access_start(test_access *access, const char *roles);
void access_stop(test_access *access);

/* Write a file with this mode. */
void access_write(const char *path, const char *text, unsigned mode);

/* Make a token; text [VC_TOKEN_SIZE + 1]. expires_s: 0 never */
void access_token(const test_access *access, const char *role, int64_t expires_s, char *text);

/* "Authorization: Bearer ...\r\n" in a static buffer of the thread. */
const char *bearer(const char *token);

#endif
