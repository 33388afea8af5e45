#include "report/journal.h"

#include "base/json.h"
#include "base/strmap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUM_SIZE = 16, MAX_JOURNAL_BYTES = 1 << 30 };

struct vc_journal {
    vc_folder *folder;
    int fd;
    vc_buffer text;   /* what was there */
    vc_strmap places; /* file -> number of its entry */
    vc_arena arena;
    vc_list entries; /* of vc_str, views of text */
};

static vc_status fail(const vc_journal *journal, const char *what, vc_error *error)
{
    int problem = errno;
    bool is_full = problem == ENOSPC || problem == EDQUOT;
    return vc_fail(error, is_full ? VC_DISK_FULL : VC_STORAGE, is_full ? "disk_full" : "output",
                   "%s/%s cannot be %s: %s", vc_folder_path(journal->folder), VC_JOURNAL_NAME, what,
                   strerror(problem));
}

static void put_sum(vc_str line, char text[SUM_SIZE + 1])
{
    unsigned char bytes[crypto_hash_sha256_BYTES];
    char digits[2 * sizeof bytes + 1];
    crypto_hash_sha256(bytes, (const unsigned char *)line.data, line.size);
    sodium_bin2hex(digits, sizeof digits, bytes, sizeof bytes);
    memcpy(text, digits, SUM_SIZE);
    text[SUM_SIZE] = '\0';
}

/* What a line says; absent when it is torn. */
static vc_str open_line(vc_str line)
{
    char sum[SUM_SIZE + 1];
    if (line.size <= SUM_SIZE || line.data[SUM_SIZE] != ' ') return (vc_str){0};
    vc_str rest = {line.data + SUM_SIZE + 1, line.size - SUM_SIZE - 1};
    put_sum(rest, sum);
    return memcmp(sum, line.data, SUM_SIZE) == 0 ? rest : (vc_str){0};
}

static void put_head(vc_str key, vc_buffer *out)
{
    vc_buffer_printf(out, "vcube-report-journal 1 %.*s", VC_FMT(key));
}

static vc_status add_entry(vc_journal *journal, vc_str entry, vc_error *error)
{
    json_t *json;
    vc_status status = VC_OK;
    if (vc_json_parse(entry, NULL, 0, &json, NULL) != VC_OK) return VC_OK;
    vc_str file = vc_json_str(json_object_get(json, "file"));
    bool is_new = false;
    if (file.data != NULL) {
        uint32_t number = vc_strmap_put(&journal->places, file, &is_new);
        if (number == VC_STRMAP_NONE ||
            (is_new && VC_LIST_NEW(&journal->entries, &journal->arena, vc_str) == NULL))
            status = vc_no_memory(error);
        else
            ((vc_str *)journal->entries.items)[number] = entry;
    }
    json_decref(json);
    return status;
}

/* *is_ours_out: it is of this key. */
static vc_status read_lines(vc_journal *journal, vc_str key, bool *is_ours_out, vc_error *error)
{
    vc_buffer head = {0};
    vc_status status = VC_OK;
    vc_str rest = {journal->text.data, journal->text.size};
    put_head(key, &head);
    *is_ours_out = rest.size > 0 && vc_str_equal(open_line(vc_str_split(&rest, '\n')),
                                                 vc_str_of(vc_buffer_text(&head)));
    while (*is_ours_out && status == VC_OK && rest.data != NULL) {
        vc_str entry = open_line(vc_str_split(&rest, '\n'));
        if (entry.data != NULL) status = add_entry(journal, entry, error);
    }
    vc_buffer_release(&head);
    return status;
}

static vc_status put_line(vc_journal *journal, vc_str line, vc_error *error)
{
    char sum[SUM_SIZE + 1];
    vc_buffer text = {0};
    put_sum(line, sum);
    vc_buffer_printf(&text, "%s ", sum);
    vc_buffer_put_str(&text, line);
    vc_buffer_put_char(&text, '\n');
    /* In one call, so that lines of several threads do not mix (O_APPEND). */
    ssize_t n = text.failed ? 0 : write(journal->fd, text.data, text.size);
    vc_status status = VC_OK;
    if (text.failed)
        status = vc_no_memory(error);
    else if (n >= 0 && (size_t)n != text.size)
        errno = ENOSPC;
    if (status == VC_OK && (n < 0 || (size_t)n != text.size))
        status = fail(journal, "written", error);
    vc_buffer_release(&text);
    return status;
}

static vc_status begin_anew(vc_journal *journal, vc_str key, vc_error *error)
{
    vc_buffer head = {0};
    if (ftruncate(journal->fd, 0) != 0) return fail(journal, "written", error);
    put_head(key, &head);
    vc_status status = put_line(journal, vc_str_of(vc_buffer_text(&head)), error);
    vc_buffer_release(&head);
    return status;
}

vc_status vc_journal_open(vc_folder *folder, vc_str key, bool forget, vc_journal **journal_out,
                          vc_error *error)
{
    bool is_ours = false;
    vc_str name = VC_STR(VC_JOURNAL_NAME);
    vc_journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) return vc_no_memory(error);
    journal->folder = folder;
    vc_status status = VC_OK;
    journal->fd = vc_folder_open_file(folder, name, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK);
    if (journal->fd < 0) status = fail(journal, "opened", error);
    if (status == VC_OK && !forget)
        status = vc_folder_read(folder, name, MAX_JOURNAL_BYTES, &journal->text, error);
    if (status == VC_OK) status = read_lines(journal, key, &is_ours, error);
    if (status == VC_OK && !is_ours)
        status = begin_anew(journal, key, error);
    else if (status == VC_OK && journal->text.data[journal->text.size - 1] != '\n' &&
             write(journal->fd, "\n", 1) != 1) /* so that the next line is not torn, too */
        status = fail(journal, "written", error);
    if (status == VC_OK)
        *journal_out = journal;
    else
        vc_journal_close(journal);
    return status;
}

void vc_journal_close(vc_journal *journal)
{
    if (journal == NULL) return;
    if (journal->fd >= 0) close(journal->fd);
    vc_strmap_release(&journal->places);
    vc_buffer_release(&journal->text);
    vc_arena_release(&journal->arena);
    free(journal);
}

vc_str vc_journal_find(const vc_journal *journal, vc_str file)
{
    uint32_t number = vc_strmap_find(&journal->places, file);
    if (number == VC_STRMAP_NONE) return (vc_str){0};
    return ((const vc_str *)journal->entries.items)[number];
}

vc_status vc_journal_put(vc_journal *journal, vc_str entry, vc_error *error)
{
    return put_line(journal, entry, error);
}
