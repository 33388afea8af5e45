#include "access.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void access_write(const char *path, const char *text, unsigned mode)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    fputs(text, file);
    fclose(file);
    cr_assert_eq(chmod(path, mode), 0);
}

void access_start(test_access *access, const char *roles)
{
    *access = (test_access){0};
    snprintf(access->directory, sizeof access->directory, "/tmp/vcube-access-XXXXXX");
    cr_assert_not_null(mkdtemp(access->directory));
    snprintf(access->tokens, sizeof access->tokens, "%s/tokens.json", access->directory);
    snprintf(access->roles, sizeof access->roles, "%s/roles.json", access->directory);
    if (roles != NULL) access_write(access->roles, roles, 0644);
}

void access_stop(test_access *access)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", access->directory);
    cr_expect_eq(system(command), 0);
}

void access_token(const test_access *access, const char *role, int64_t expires_s, char *text)
{
    vc_error error = {0};
    const vc_token_wish wish = {.name = VC_STR("test"),
                                .role = vc_str_of(role),
                                .now_s = (int64_t)time(NULL) - 100,
                                .expires_s = expires_s};
    cr_assert_eq(vc_tokens_create(access->tokens, &wish, text, &error), VC_OK, "%s", error.message);
}

const char *bearer(const char *token)
{
    static _Thread_local char line[4096];
    snprintf(line, sizeof line, "Authorization: Bearer %s\r\n", token);
    return line;
}
