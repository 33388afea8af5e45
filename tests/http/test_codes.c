/* docs/api.md promises that its list of error codes is complete and that each of them exists. */
#include "base/buffer.h"
#include "base/strmap.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

static void read_file(const char *path, vc_buffer *text)
{
    FILE *file = fopen(path, "r");
    char block[65536];
    cr_assert_not_null(file, "%s", path);
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        vc_buffer_put(text, block, got);
    fclose(file);
    vc_buffer_text(text);
}

/* The last group of the pattern wherever it matches in the text, into the set. */
static void collect(const char *text, const char *pattern, vc_strmap *set)
{
    regex_t regex;
    regmatch_t match[3];
    cr_assert_eq(regcomp(&regex, pattern, REG_EXTENDED), 0);
    while (regexec(&regex, text, 3, match, 0) == 0) {
        const regmatch_t *group = &match[regex.re_nsub];
        vc_str found = {text + group->rm_so, (size_t)(group->rm_eo - group->rm_so)};
        vc_strmap_put(set, found, NULL);
        text += group->rm_eo;
    }
    regfree(&regex);
}

static void read_sources(vc_buffer *sources)
{
    static const char *const layers[] = {"base", "storage", "dimensions", "mapping",
                                         "cube", "slice",   "query",      "render",
                                         "http", "report",  "cli"};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        char pattern[64];
        glob_t found;
        snprintf(pattern, sizeof pattern, "%s/*.c", layers[i]);
        if (glob(pattern, 0, NULL, &found) != 0) continue; /* a layer may be empty */
        for (size_t f = 0; f < found.gl_pathc; f++)
            read_file(found.gl_pathv[f], sources);
        globfree(&found);
    }
    cr_assert_gt(sources->size, 100000);
}

Test(codes, documented_and_real)
{
    vc_buffer sources = {0}, page = {0};
    vc_strmap used = {0}, listed = {0};
    read_sources(&sources);
    read_file("docs/api.md", &page);
    const char *list = strstr(page.data, "### All codes");
    cr_assert_not_null(list);
    collect(list, "`([a-z][a-z_0-9]+)`", &listed);
    collect(sources.data,
            "VC_(NO_MEMORY|NOT_FOUND|BAD_INPUT|IMPOSSIBLE|CONFLICT|LIMIT|OVERFLOW|CORRUPT|STORAGE|"
            "DISK_FULL|BUSY|CANCELLED),[[:space:]]*\"([a-z_0-9]+)\"",
            &used);
    cr_assert_gt(used.count, 100);
    for (uint32_t i = 0; i < used.count; i++)
        cr_expect_neq(vc_strmap_find(&listed, used.keys[i]), VC_STRMAP_NONE,
                      "the code %.*s is not in docs/api.md", VC_FMT(used.keys[i]));
    for (uint32_t i = 0; i < listed.count; i++) {
        char quoted[80];
        snprintf(quoted, sizeof quoted, "\"%.*s\"", VC_FMT(listed.keys[i]));
        cr_expect_not_null(strstr(sources.data, quoted),
                           "docs/api.md lists the code %s, which nothing uses", quoted);
    }
    vc_strmap_release(&used);
    vc_strmap_release(&listed);
    vc_buffer_release(&sources);
    vc_buffer_release(&page);
}
