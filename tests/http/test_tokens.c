/* Tokens: the file, who is let in by them, and what logs show of them. */
#include "access.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static test_access files;

static void start(void)
{
    access_start(&files, NULL);
}

static void stop(void)
{
    access_stop(&files);
}

TestSuite(tokens, .init = start, .fini = stop);

static int check(const char *token, int64_t now_s)
{
    vc_tokens *tokens;
    vc_error error = {0};
    cr_assert_eq(vc_tokens_open(files.tokens, &tokens, &error), VC_OK, "%s", error.message);
    int number = vc_tokens_check(tokens, vc_str_of(token), now_s);
    vc_tokens_free(tokens);
    return number;
}

Test(tokens, only_the_one_that_was_shown)
{
    char token[VC_TOKEN_SIZE + 1], other[VC_TOKEN_SIZE + 1], wrong[VC_TOKEN_SIZE + 2];
    access_token(&files, "view", 0, token);
    access_token(&files, "view", 0, other);
    cr_assert_eq(strlen(token), VC_TOKEN_SIZE);
    cr_assert_neq(check(token, 1000), VC_TOKEN_NONE);
    cr_assert_neq(check(other, 1000), VC_TOKEN_NONE);
    cr_assert_neq(check(token, 1000), check(other, 1000));
    /* Any byte changed, and either case. */
    for (size_t i = 0; i < VC_TOKEN_SIZE; i++) {
        memcpy(wrong, token, sizeof token);
        wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
        cr_expect_eq(check(wrong, 1000), VC_TOKEN_NONE, "byte %zu", i);
        memcpy(wrong, token, sizeof token);
        if (wrong[i] >= 'a' && wrong[i] <= 'z') wrong[i] = (char)(wrong[i] - 32);
        cr_expect_eq(check(wrong, 1000), strcmp(wrong, token) == 0 ? check(token, 1000) : -1);
    }
    /* Cut, longer, nothing; the id of one with the secret of the other. */
    for (size_t size = 0; size < VC_TOKEN_SIZE; size++) {
        snprintf(wrong, sizeof wrong, "%.*s", (int)size, token);
        cr_expect_eq(check(wrong, 1000), VC_TOKEN_NONE);
    }
    snprintf(wrong, sizeof wrong, "%sA", token);
    cr_expect_eq(check(wrong, 1000), VC_TOKEN_NONE);
    memcpy(wrong, token, sizeof token);
    memcpy(wrong + 4, other + 4, VC_TOKEN_ID_SIZE);
    cr_expect_eq(check(wrong, 1000), VC_TOKEN_NONE);
    cr_expect_eq(vc_tokens_check(NULL, vc_str_of(token), 1000), VC_TOKEN_NONE);
}

Test(tokens, end_when_they_expire)
{
    char token[VC_TOKEN_SIZE + 1];
    access_token(&files, "view", 5000, token);
    cr_expect_neq(check(token, 4999), VC_TOKEN_NONE);
    cr_expect_eq(check(token, 5000), VC_TOKEN_NONE);
    cr_expect_eq(check(token, 9000), VC_TOKEN_NONE);
}

Test(tokens, are_revoked)
{
    char token[VC_TOKEN_SIZE + 1], id[VC_TOKEN_ID_SIZE + 1];
    vc_error error = {0};
    access_token(&files, "view", 0, token);
    snprintf(id, sizeof id, "%s", token + 4);
    cr_assert_eq(vc_tokens_revoke(files.tokens, VC_STR("0123"), 7, &error), VC_NOT_FOUND);
    cr_expect_str_eq(error.code, "unknown_token");
    cr_expect_neq(check(token, 1000), VC_TOKEN_NONE);
    cr_assert_eq(vc_tokens_revoke(files.tokens, vc_str_of(id), 800, &error), VC_OK);
    cr_expect_eq(check(token, 1000), VC_TOKEN_NONE);
    cr_expect_eq(check(token, 1), VC_TOKEN_NONE);
    /* Again is no failure, and changes nothing. */
    cr_assert_eq(vc_tokens_revoke(files.tokens, vc_str_of(id), 900, &error), VC_OK);
    vc_tokens *tokens;
    cr_assert_eq(vc_tokens_open(files.tokens, &tokens, &error), VC_OK);
    cr_expect_eq(vc_tokens_at(tokens, 0)->revoked_s, 800);
    vc_tokens_free(tokens);
}

Test(tokens, file_has_no_secret_and_is_the_owners)
{
    char token[VC_TOKEN_SIZE + 1], text[8192] = "";
    struct stat about;
    access_token(&files, "view", 0, token);
    FILE *file = fopen(files.tokens, "r");
    cr_assert_gt(fread(text, 1, sizeof text - 1, file), 0);
    fclose(file);
    cr_expect_null(strstr(text, token + 4 + VC_TOKEN_ID_SIZE + 1));
    cr_assert_eq(stat(files.tokens, &about), 0);
    cr_expect_eq(about.st_mode & 07777, 0600);
    for (unsigned mode = 0601; mode < 0700; mode++) {
        vc_tokens *tokens = NULL;
        vc_error error = {0};
        cr_assert_eq(chmod(files.tokens, mode), 0);
        cr_expect_eq(vc_tokens_open(files.tokens, &tokens, &error), VC_BAD_INPUT, "%o", mode);
        cr_expect_str_eq(error.code, "file_mode");
        const vc_token_wish wish = {.name = VC_STR("a"), .role = VC_STR("b"), .now_s = 1};
        cr_expect_eq(vc_tokens_create(files.tokens, &wish, token, &error), VC_BAD_INPUT);
    }
}

/* Processes that make tokens at once lose none, and nobody reads half a file. */
Test(tokens, made_by_many_at_once)
{
    enum { NPROCESSES = 4, NEACH = 25 };
    char token[VC_TOKEN_SIZE + 1];
    for (int p = 0; p < NPROCESSES; p++)
        if (fork() == 0) {
            const vc_token_wish wish = {.name = VC_STR("a"), .role = VC_STR("b"), .now_s = 1};
            for (int i = 0; i < NEACH; i++)
                if (vc_tokens_create(files.tokens, &wish, token, NULL) != VC_OK) _exit(1);
            _exit(0);
        }
    for (int done = 0, state; done < NPROCESSES;) {
        vc_tokens *tokens;
        vc_error error = {0};
        vc_status status = vc_tokens_open(files.tokens, &tokens, &error);
        cr_expect(status == VC_OK || status == VC_NOT_FOUND, "%s", error.message);
        if (status == VC_OK) vc_tokens_free(tokens);
        if (waitpid(-1, &state, WNOHANG) <= 0) continue;
        cr_expect_eq(state, 0);
        done++;
    }
    vc_tokens *tokens;
    cr_assert_eq(vc_tokens_open(files.tokens, &tokens, NULL), VC_OK);
    cr_expect_eq(vc_tokens_count(tokens), NPROCESSES * NEACH);
    for (size_t i = 1; i < vc_tokens_count(tokens); i++)
        cr_expect_lt(strcmp(vc_tokens_at(tokens, i - 1)->id, vc_tokens_at(tokens, i)->id), 0);
    vc_tokens_free(tokens);
    char command[160];
    snprintf(command, sizeof command, "test $(ls -A '%s' | wc -l) = 1", files.directory);
    cr_expect_eq(system(command), 0, "temporary files are left");
}

#define KEY   "\"key\":\"" HEX64 "\""
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GOOD                                                                                       \
    "{\"id\":\"0123456789abcdef\",\"name\":\"a\",\"role\":\"b\",\"created\":"                      \
    "\"2026-01-02T03:04:05Z\",\"hash\":\"" HEX64 "\"}"

Test(tokens, broken_files_are_refused)
{
    static const struct {
        const char *text, *code, *pointer;
    } cases[] = {
        {"", "json", ""},
        {"[]", "bad_type", ""},
        {"{}", "missing_field", "/version"},
        {"{\"version\":2," KEY ",\"tokens\":[]}", "bad_value", "/version"},
        {"{\"version\":1,\"key\":\"00\",\"tokens\":[]}", "bad_value", "/key"},
        {"{\"version\":1," KEY "}", "missing_field", "/tokens"},
        {"{\"version\":1," KEY ",\"tokens\":[],\"tokns\":[]}", "unknown_field", "/tokns"},
        {"{\"version\":1," KEY ",\"tokens\":[" GOOD "," GOOD "]}", "duplicate_name", "/tokens"},
        {"{\"version\":1," KEY ",\"tokens\":[{\"id\":\"0123456789ABCDEF\"}]}", "bad_value",
         "/tokens/0/id"},
        {"{\"version\":1," KEY ",\"tokens\":[{\"id\":\"0123456789abcdef\",\"name\":\"a b\"}]}",
         "bad_value", "/tokens/0/name"},
        {"{\"version\":1," KEY ",\"tokens\":[{\"id\":\"0123456789abcdef\",\"name\":\"a\",\"role\":"
         "\"b\",\"created\":\"2026-02-30T03:04:05Z\",\"hash\":\"" HEX64 "\"}]}",
         "bad_value", "/tokens/0/created"},
        {"{\"version\":1," KEY ",\"tokens\":[" GOOD ",{\"id\":\"0123456789abcdee\",\"name\":\"a\","
         "\"role\":\"b\",\"created\":\"2026-02-03T03:04:05Z\",\"hash\":\"\"}]}",
         "bad_value", "/tokens/1/hash"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_tokens *tokens = NULL;
        vc_error error = {0};
        access_write(files.tokens, cases[i].text, 0600);
        cr_expect_eq(vc_tokens_open(files.tokens, &tokens, &error), VC_BAD_INPUT, "%zu", i);
        cr_expect_str_eq(error.code, cases[i].code, "%zu: %s", i, error.message);
        cr_expect_str_eq(error.pointer, cases[i].pointer, "%zu: %s", i, error.message);
        cr_expect_str_eq(error.file, files.tokens);
        cr_expect_gt(error.line, 0);
    }
    access_write(files.tokens, "{\"version\":1," KEY ",\"tokens\":[" GOOD "]}", 0600);
    vc_tokens *tokens;
    cr_assert_eq(vc_tokens_open(files.tokens, &tokens, NULL), VC_OK);
    vc_tokens_free(tokens);
}

Test(tokens, names_are_plain)
{
    static const char *const bad[] = {
        "",
        " a",
        "a b",
        "a\n",
        "../a",
        "-a",
        "ä",
        "a/b",
        "\"",
        "0123456789012345678901234567890123456789012345678901234567890"
        "12345"};
    char token[VC_TOKEN_SIZE + 1];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const vc_token_wish name = {.name = vc_str_of(bad[i]), .role = VC_STR("a"), .now_s = 1};
        const vc_token_wish role = {.name = VC_STR("a"), .role = vc_str_of(bad[i]), .now_s = 1};
        cr_expect_eq(vc_tokens_create(files.tokens, &name, token, NULL), VC_BAD_INPUT, "%s",
                     bad[i]);
        cr_expect_eq(vc_tokens_create(files.tokens, &role, token, NULL), VC_BAD_INPUT, "%s",
                     bad[i]);
    }
    cr_expect_neq(access(files.tokens, F_OK), 0);
}

#define SECRET "AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK"

Test(tokens, logs_show_no_secret)
{
    static const char *const texts[] = {
        "/v1/cubes?token=" SECRET,
        "/v1/cubes?a=b&access_token=" SECRET "&c=d",
        "/v1/cubes?API_KEY=" SECRET,
        "/v1/vct_0123456789abcdef_" SECRET,
        "/v1/vct%5f0123456789abcdef_" SECRET,
        "/v1/?x=vct_" SECRET,
        "vct_0123456789abcdef_" SECRET,
        "vct_0123456789abcde_" SECRET " vct_0123456789abcdef_" SECRET,
        "vct_0123456789abcdef" SECRET,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s", texts[i]);
        vc_tokens_mask(text, strlen(text));
        cr_expect_null(strstr(text, "AAAA"), "%s", text);
        cr_expect_eq(strlen(text), strlen(texts[i]));
    }
    char kept[] = "/v1/cubes/vct/aggregate?drilldown=tokens&cut=a:vctx&token";
    char before[sizeof kept];
    memcpy(before, kept, sizeof kept);
    vc_tokens_mask(kept, strlen(kept));
    cr_expect_str_eq(kept, before);
    /* Cut anywhere, nothing behind the end is touched. */
    const char whole[] = "/?token=a&vct_0123456789abcdef_" SECRET;
    for (size_t size = 0; size < sizeof whole; size++) {
        char text[sizeof whole];
        memcpy(text, whole, sizeof whole);
        vc_tokens_mask(text, size);
        cr_expect_eq(memcmp(text + size, whole + size, sizeof whole - size), 0);
    }
}
