#include "http/tokens.h"

#include "base/json_writer.h"
#include "base/nearest.h"
#include "http/files.h"
#include "http/roles.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { SECRET_BYTES = 32, SECRET_SIZE = 43, KEY_BYTES = 32, VERSION = 1 };

struct vc_tokens {
    vc_arena arena;
    vc_token *items;   /* [count], by id */
    uint64_t *numbers; /* [count + 1] their ids as numbers, for the search */
    size_t count;
    unsigned char key[KEY_BYTES];
};

/* ---- times ---- */

void vc_time_format(int64_t seconds, char text[VC_TIME_TEXT])
{
    struct tm utc;
    time_t time = (time_t)seconds;
    text[0] = '\0';
    if (gmtime_r(&time, &utc) != NULL) strftime(text, VC_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static bool parse_time(vc_str text, int64_t *seconds_out)
{
    struct tm utc = {0};
    char again[VC_TIME_TEXT];
    if (text.size != sizeof "2026-11-23T15:04:05Z" - 1) return false;
    const char *end = strptime(text.data, "%Y-%m-%dT%H:%M:%SZ", &utc);
    if (end != text.data + text.size) return false;
    *seconds_out = (int64_t)timegm(&utc);
    vc_time_format(*seconds_out, again);
    return *seconds_out > 0 && vc_str_is(text, again); /* no 31st of June */
}

/* ---- reading ---- */

static vc_status fail_field(const char *key, const json_t *found, const char *expected,
                            vc_error *error)
{
    /* What is found is not shown: it may be a secret in the wrong place. */
    vc_fail(error, VC_BAD_INPUT, found == NULL ? "missing_field" : "bad_value",
            "found %s, expected %s", found == NULL ? "nothing" : "something else", expected);
    vc_error_at_pointer(error, "/%s", key);
    return VC_BAD_INPUT;
}

static vc_status read_time(const json_t *object, const char *key, bool is_needed,
                           int64_t *seconds_out, vc_error *error)
{
    const json_t *value = json_object_get(object, key);
    if (!is_needed && (value == NULL || json_is_null(value))) return VC_OK;
    if (json_is_string(value) && parse_time(vc_json_str(value), seconds_out)) return VC_OK;
    return fail_field(key, value, "a time such as 2026-11-23T15:04:05Z", error);
}

static vc_status read_name(const json_t *object, const char *key, vc_arena *arena, vc_str *name_out,
                           vc_error *error)
{
    const json_t *value = json_object_get(object, key);
    if (!vc_role_is_name(vc_json_str(value)))
        return fail_field(key, value, "a name of letters, digits, '_', '-' and '.'", error);
    *name_out = vc_arena_str(arena, vc_json_str(value));
    return name_out->data != NULL ? VC_OK : vc_no_memory(error);
}

static bool is_hex(vc_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!(text.data[i] >= '0' && text.data[i] <= '9') &&
            !(text.data[i] >= 'a' && text.data[i] <= 'f'))
            return false;
    return true;
}

static vc_status read_hex(const json_t *object, const char *key, unsigned char *bytes, size_t size,
                          vc_error *error)
{
    const json_t *value = json_object_get(object, key);
    vc_str text = vc_json_str(value);
    if (text.size == 2 * size && is_hex(text) &&
        sodium_hex2bin(bytes, size, text.data, text.size, NULL, NULL, NULL) == 0)
        return VC_OK;
    return fail_field(key, value, "lower-case hexadecimal digits", error);
}

static vc_status read_token(const json_t *object, vc_token *token, vc_arena *arena, vc_error *error)
{
    static const char *const known[] = {"id",      "name",    "role", "created",
                                        "expires", "revoked", "hash", NULL};
    if (!json_is_object(object))
        return vc_fail(error, VC_BAD_INPUT, "bad_type", "found %s, expected an object",
                       vc_json_type_name(object));
    vc_status status = vc_json_check_keys(object, known, error);
    vc_str id = vc_json_str(json_object_get(object, "id"));
    if (status == VC_OK && (id.size != VC_TOKEN_ID_SIZE || !is_hex(id)))
        status = fail_field("id", json_object_get(object, "id"), "16 hexadecimal digits", error);
    if (status == VC_OK) status = read_name(object, "name", arena, &token->name, error);
    if (status == VC_OK) status = read_name(object, "role", arena, &token->role, error);
    if (status == VC_OK) status = read_time(object, "created", true, &token->created_s, error);
    if (status == VC_OK) status = read_time(object, "expires", false, &token->expires_s, error);
    if (status == VC_OK) status = read_time(object, "revoked", false, &token->revoked_s, error);
    if (status == VC_OK) status = read_hex(object, "hash", token->hash, sizeof token->hash, error);
    if (status == VC_OK) memcpy(token->id, id.data, id.size);
    return status;
}

static int by_id(const void *left, const void *right)
{
    return memcmp(((const vc_token *)left)->id, ((const vc_token *)right)->id, VC_TOKEN_ID_SIZE);
}

static vc_status read_tokens(const json_t *file, vc_tokens *tokens, vc_error *error)
{
    static const char *const known[] = {"version", "key", "tokens", NULL};
    const json_t *list = json_object_get(file, "tokens");
    vc_status status = vc_json_check_keys(file, known, error);
    if (status == VC_OK && json_integer_value(json_object_get(file, "version")) != VERSION)
        status = fail_field("version", json_object_get(file, "version"), "1", error);
    if (status == VC_OK) status = read_hex(file, "key", tokens->key, KEY_BYTES, error);
    if (status == VC_OK && !json_is_array(list))
        status = fail_field("tokens", list, "a list of tokens", error);
    if (status != VC_OK) return status;
    tokens->items = VC_ARENA_NEW(&tokens->arena, vc_token, json_array_size(list) + 1);
    if (tokens->items == NULL) return vc_no_memory(error);
    for (; tokens->count < json_array_size(list); tokens->count++) {
        status = read_token(json_array_get(list, tokens->count), &tokens->items[tokens->count],
                            &tokens->arena, error);
        if (status == VC_OK) continue;
        vc_error_prefix_pointer(error, "/tokens/%zu", tokens->count);
        return status;
    }
    qsort(tokens->items, tokens->count, sizeof *tokens->items, by_id);
    tokens->numbers = VC_ARENA_NEW(&tokens->arena, uint64_t, tokens->count + 1);
    if (tokens->numbers == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < tokens->count; i++)
        tokens->numbers[i] = strtoull(tokens->items[i].id, NULL, 16);
    for (size_t i = 1; i < tokens->count; i++)
        if (by_id(&tokens->items[i - 1], &tokens->items[i]) == 0) {
            vc_fail(error, VC_BAD_INPUT, "duplicate_name", "two tokens have the id '%s'",
                    tokens->items[i].id);
            vc_error_at_pointer(error, "/tokens");
            return VC_BAD_INPUT;
        }
    return VC_OK;
}

vc_status vc_tokens_open(const char *path, vc_tokens **tokens_out, vc_error *error)
{
    vc_json_file file;
    *tokens_out = NULL;
    vc_tokens *tokens = calloc(1, sizeof *tokens);
    if (tokens == NULL) return vc_no_memory(error);
    vc_status status =
        vc_json_file_read(path, "tokens", VC_FILE_OWNERS_ALONE, &tokens->arena, &file, error);
    if (status == VC_OK) {
        status = read_tokens(file.json, tokens, error);
        if (status == VC_BAD_INPUT) vc_json_file_locate(&file, error);
    }
    json_decref(file.json);
    if (status == VC_OK)
        *tokens_out = tokens;
    else
        vc_tokens_free(tokens);
    return status;
}

void vc_tokens_free(vc_tokens *tokens)
{
    if (tokens == NULL) return;
    sodium_memzero(tokens->key, sizeof tokens->key);
    vc_arena_release(&tokens->arena);
    free(tokens);
}

size_t vc_tokens_count(const vc_tokens *tokens)
{
    return tokens->count;
}

const vc_token *vc_tokens_at(const vc_tokens *tokens, size_t number)
{
    return &tokens->items[number];
}

/* ---- checking ---- */

static void hash_secret(const unsigned char key[KEY_BYTES], const char *secret,
                        unsigned char hash[VC_TOKEN_HASH_SIZE])
{
    crypto_generichash(hash, VC_TOKEN_HASH_SIZE, (const unsigned char *)secret, SECRET_SIZE, key,
                       KEY_BYTES);
}

/* The number that an id is in hexadecimal; *is_id becomes 0 when it is none. Without a branch. */
static uint64_t number_of(const char *id, uint64_t *is_id)
{
    uint64_t number = 0;
    for (size_t i = 0; i < VC_TOKEN_ID_SIZE; i++) {
        uint64_t digit = (uint64_t)(unsigned char)id[i] - '0';
        uint64_t letter = (uint64_t)(unsigned char)id[i] - 'a';
        uint64_t is_digit = digit < 10, is_letter = letter < 6;
        *is_id &= is_digit | is_letter;
        number = number << 4 | (digit & -is_digit) | ((letter + 10) & -is_letter);
    }
    return number;
}

/* The last token whose id is not above, or the first: in as many steps whatever is there, and
 * without a branch that could be foretold for some ids and not for others. */
static size_t search(const vc_tokens *tokens, uint64_t number)
{
    size_t first = 0;
    for (size_t count = tokens->count; count > 1;) {
        size_t half = count / 2;
        first += half & -(size_t)(tokens->numbers[first + half] <= number);
        count -= half;
    }
    return first;
}

/* Of an unknown id its neighbour is the dummy: whatever comes, one id and one hash are compared. */
int vc_tokens_check(const vc_tokens *tokens, vc_str presented, int64_t now_s)
{
    static const vc_token dummy = {.id = "----------------"};
    static const char prefix[] = VC_TOKEN_PREFIX;
    const size_t prefix_size = sizeof prefix - 1;
    if (tokens == NULL || presented.size != VC_TOKEN_SIZE ||
        memcmp(presented.data, prefix, prefix_size) != 0 ||
        presented.data[prefix_size + VC_TOKEN_ID_SIZE] != '_')
        return VC_TOKEN_NONE;
    const char *id = presented.data + prefix_size;
    unsigned char hash[VC_TOKEN_HASH_SIZE];
    hash_secret(tokens->key, id + VC_TOKEN_ID_SIZE + 1, hash);
    uint64_t is_id = 1, id_number = number_of(id, &is_id);
    size_t number = search(tokens, id_number);
    const vc_token *token = tokens->count > 0 ? &tokens->items[number] : &dummy;
    int is_known = (int)is_id & (tokens->count > 0) & (tokens->numbers[number] == id_number);
    int is_right = sodium_memcmp(token->hash, hash, sizeof hash) == 0;
    int holds = (token->revoked_s == 0) & ((token->expires_s == 0) | (token->expires_s > now_s));
    int is_let = is_known & is_right & holds;
    return (int)number * is_let + VC_TOKEN_NONE * (1 - is_let);
}

/* ---- changing ---- */

static void put_time(vc_json_writer *json, const char *key, int64_t seconds)
{
    char text[VC_TIME_TEXT];
    if (seconds == 0) {
        vc_json_put_null(json, key);
        return;
    }
    vc_time_format(seconds, text);
    vc_json_put_text(json, key, text);
}

static void put_token(vc_json_writer *json, const vc_token *token)
{
    char hex[2 * VC_TOKEN_HASH_SIZE + 1];
    sodium_bin2hex(hex, sizeof hex, token->hash, sizeof token->hash);
    vc_buffer_put_text(json->out, json->has_before ? "," : "");
    vc_buffer_put_text(json->out, "\n  ");
    vc_json_writer own = {.out = json->out};
    vc_json_begin(&own, NULL, '{');
    vc_json_put_text(&own, "id", token->id);
    vc_json_put_str(&own, "name", token->name);
    vc_json_put_str(&own, "role", token->role);
    put_time(&own, "created", token->created_s);
    put_time(&own, "expires", token->expires_s);
    put_time(&own, "revoked", token->revoked_s);
    vc_json_put_text(&own, "hash", hex);
    vc_json_end(&own, '}');
    json->has_before = true;
}

/* One token a line, so that a difference of two files says who came and went. */
static vc_status write_tokens(const char *path, const vc_tokens *tokens, const vc_token *added,
                              vc_error *error)
{
    vc_buffer text = {0};
    vc_json_writer list = {.out = &text};
    char hex[2 * KEY_BYTES + 1];
    sodium_bin2hex(hex, sizeof hex, tokens->key, KEY_BYTES);
    vc_buffer_printf(&text, "{\"version\": %d,\n \"key\": \"%s\",\n \"tokens\": [", VERSION, hex);
    for (size_t i = 0; i < tokens->count; i++)
        put_token(&list, &tokens->items[i]);
    if (added != NULL) put_token(&list, added);
    vc_buffer_put_text(&text, "\n ]}\n");
    vc_status status = text.failed ? vc_no_memory(error)
                                   : vc_file_replace(path, (vc_str){text.data, text.size}, error);
    vc_buffer_release(&text);
    return status;
}

static vc_status open_or_make(const char *path, vc_tokens **tokens_out, vc_error *error)
{
    vc_error found = {0};
    vc_status status = vc_tokens_open(path, tokens_out, &found);
    if (status == VC_NOT_FOUND) {
        *tokens_out = calloc(1, sizeof **tokens_out);
        if (*tokens_out == NULL) return vc_no_memory(error);
        randombytes_buf((*tokens_out)->key, KEY_BYTES);
        return VC_OK;
    }
    if (status != VC_OK && error != NULL) *error = found;
    return status;
}

static bool has_id(const vc_tokens *tokens, const char *id)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (memcmp(tokens->items[i].id, id, VC_TOKEN_ID_SIZE) == 0) return true;
    return false;
}

static vc_status check_name(const char *what, vc_str name, vc_error *error)
{
    if (vc_role_is_name(name)) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "bad_value",
                   "found the %s '%.*s', expected up to 64 letters, digits, '_', '-' and '.', a "
                   "letter or digit first",
                   what, (int)(name.size > 100 ? 100 : name.size), name.size > 0 ? name.data : "");
}

vc_status vc_tokens_create(const char *path, const vc_token_wish *wish,
                           char token_out[VC_TOKEN_SIZE + 1], vc_error *error)
{
    int lock;
    vc_tokens *tokens = NULL;
    vc_status status = check_name("name", wish->name, error);
    if (status == VC_OK) status = check_name("role", wish->role, error);
    if (status == VC_OK && sodium_init() < 0)
        status = vc_fail(error, VC_STORAGE, "server_start", "libsodium does not start");
    if (status == VC_OK) status = vc_file_lock(path, &lock, error);
    if (status != VC_OK) return status;
    status = open_or_make(path, &tokens, error);
    if (status == VC_OK) {
        unsigned char secret[SECRET_BYTES], id[VC_TOKEN_ID_SIZE / 2];
        vc_token token = {.name = wish->name,
                          .role = wish->role,
                          .created_s = wish->now_s,
                          .expires_s = wish->expires_s};
        do {
            randombytes_buf(id, sizeof id);
            sodium_bin2hex(token.id, sizeof token.id, id, sizeof id);
        } while (has_id(tokens, token.id));
        randombytes_buf(secret, sizeof secret);
        memcpy(token_out, VC_TOKEN_PREFIX, sizeof VC_TOKEN_PREFIX - 1);
        char *at = token_out + sizeof VC_TOKEN_PREFIX - 1;
        memcpy(at, token.id, VC_TOKEN_ID_SIZE);
        at[VC_TOKEN_ID_SIZE] = '_';
        at += VC_TOKEN_ID_SIZE + 1;
        sodium_bin2base64(at, SECRET_SIZE + 1, secret, sizeof secret,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        hash_secret(tokens->key, at, token.hash);
        sodium_memzero(secret, sizeof secret);
        status = write_tokens(path, tokens, &token, error);
        if (status != VC_OK) sodium_memzero(token_out, VC_TOKEN_SIZE + 1);
    }
    vc_tokens_free(tokens);
    vc_file_unlock(lock);
    return status;
}

static vc_status find_id(vc_tokens *tokens, vc_str id, vc_token **token_out, vc_error *error)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, id);
    for (size_t i = 0; i < tokens->count; i++) {
        *token_out = &tokens->items[i];
        if (vc_str_is(id, tokens->items[i].id)) return VC_OK;
        vc_nearest_offer(&nearest, vc_str_of(tokens->items[i].id));
    }
    /* Somebody may give the whole token, whose secret is not to be repeated. */
    vc_fail(error, VC_NOT_FOUND, "unknown_token", "there is no token with the id '%.*s%s",
            (int)(id.size > 20 ? 20 : id.size), id.size > 0 ? id.data : "",
            id.size > 20 ? "...'; the id are the 16 digits behind vct_" : "'");
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

vc_status vc_tokens_revoke(const char *path, vc_str id, int64_t now_s, vc_error *error)
{
    int lock;
    vc_tokens *tokens = NULL;
    vc_token *token;
    vc_status status = vc_file_lock(path, &lock, error);
    if (status != VC_OK) return status;
    status = vc_tokens_open(path, &tokens, error);
    if (status == VC_OK) status = find_id(tokens, id, &token, error);
    if (status == VC_OK && token->revoked_s == 0) {
        token->revoked_s = now_s;
        status = write_tokens(path, tokens, NULL, error);
    }
    vc_tokens_free(tokens);
    vc_file_unlock(lock);
    return status;
}

/* ---- logs ---- */

static void mask(char *text, size_t size)
{
    memset(text, '*', size);
}

/* Up to what ends a value in an address or a header. */
static size_t value_size(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size && text[at] != '&' && text[at] != ' ' && text[at] != '#' && text[at] != '"')
        at++;
    return at;
}

void vc_tokens_mask(char *text, size_t size)
{
    static const char *const names[] = {
        "token=", "api_key=", "apikey=", "authorization=", "bearer="};
    for (size_t at = 0; at < size; at++) {
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            size_t name_size = strlen(names[n]);
            if (size - at < name_size || strncasecmp(text + at, names[n], name_size) != 0) continue;
            size_t first = at + name_size;
            mask(text + first, value_size(text + first, size - first));
        }
        /* "vct_" or, percent-encoded, "vct%5F" */
        if (size - at < 4 || memcmp(text + at, "vct", 3) != 0) continue;
        size_t first = at + 3;
        if (text[first] == '_')
            first += 1;
        else if (size - first >= 3 && strncasecmp(text + first, "%5f", 3) == 0)
            first += 3;
        else
            continue;
        size_t shown = 0; /* of the id */
        while (shown < VC_TOKEN_ID_SIZE && first + shown < size &&
               is_hex((vc_str){text + first + shown, 1}))
            shown++;
        first += shown;
        mask(text + first, value_size(text + first, size - first));
    }
}
