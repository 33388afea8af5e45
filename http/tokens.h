/* Bearer tokens: who has one is who it was made for.
 *
 *     vct_<16 hexadecimal digits>_<43 characters>
 *         the public id            the secret: 32 random bytes as base64url
 *
 * The secret is shown once, when it is made, and stored as a keyed BLAKE2b of it: it has 256 bits
 * of chance, so a slow hash would only help who wants to keep the server busy. A token is looked
 * for by its public id and compared in constant time; one of an unknown id is compared with a
 * dummy, so that both take as long.
 *
 * The file is JSON, 0600, and replaced as a whole, so a server may read it at any time.
 * Threads: what was opened is immutable; changes of a file wait for one another across processes.
 */
#ifndef HTTP_TOKENS_H
#define HTTP_TOKENS_H

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    VC_TOKEN_ID_SIZE = 16,
    VC_TOKEN_SIZE = 4 + VC_TOKEN_ID_SIZE + 1 + 43,
    VC_TOKEN_HASH_SIZE = 32,
};

#define VC_TOKEN_PREFIX "vct_"

typedef struct vc_token {
    char id[VC_TOKEN_ID_SIZE + 1];
    vc_str name, role;
    int64_t created_s, expires_s, revoked_s; /* seconds since 1970; 0: never */
    unsigned char hash[VC_TOKEN_HASH_SIZE];
} vc_token;

typedef struct vc_tokens vc_tokens;

/* Read a file that vc_tokens_create made. VC_NOT_FOUND, VC_STORAGE and VC_BAD_INPUT as
 * http/files.h, "file_mode" when others than its owner may read it, and the codes of JSON that is
 * not as it must be, with the place. */
vc_status vc_tokens_open(const char *path, vc_tokens **tokens_out, vc_error *error);
void vc_tokens_free(vc_tokens *tokens); /* NULL is fine */

size_t vc_tokens_count(const vc_tokens *tokens);
const vc_token *vc_tokens_at(const vc_tokens *tokens, size_t number); /* by id */

enum { VC_TOKEN_NONE = -1 };

/* The number of the token that was presented, if it is one and holds at now_s; otherwise
 * VC_TOKEN_NONE, for whatever reason. tokens NULL: there are none.
 *
 * What is not of a token's form takes less time than what is; nothing else shows in the time. */
int vc_tokens_check(const vc_tokens *tokens, vc_str presented, int64_t now_s);

typedef struct vc_token_wish {
    vc_str name, role;
    int64_t now_s, expires_s; /* 0: never */
} vc_token_wish;

/* Make a token and write it to the file, which is made if it is not there.
 *
 * token_out  what is shown, once, with a NUL
 *
 * VC_BAD_INPUT, code "bad_value": a name that vc_role_is_name refuses. Errors of vc_tokens_open and
 * "file_write". */
vc_status vc_tokens_create(const char *path, const vc_token_wish *wish,
                           char token_out[VC_TOKEN_SIZE + 1], vc_error *error);

/* From now_s on the token is refused. One that was revoked before stays as it is. VC_NOT_FOUND,
 * code "unknown_token", with the nearest ids; errors as vc_tokens_create. */
vc_status vc_tokens_revoke(const char *path, vc_str id, int64_t now_s, vc_error *error);

/* "2026-11-23T15:04:05Z"; VC_TIME_TEXT bytes with the NUL. */
enum { VC_TIME_TEXT = 24 };
void vc_time_format(int64_t seconds, char text[VC_TIME_TEXT]);

/* Replace each token in the text by its public id and dots, and the values of parameters that are
 * named as if they held one: for logs. Whatever the text is, it stays as long as it was. */
void vc_tokens_mask(char *text, size_t size);

#endif
