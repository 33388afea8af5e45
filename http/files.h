/* Files of the operator: configuration, roles, tokens.
 *
 * They say who may see what, so who may write them matters, and of tokens who may read them: a file
 * with too wide a mode is refused, not warned of.
 * Threads: any; nothing is shared.
 */
#ifndef HTTP_FILES_H
#define HTTP_FILES_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

#include <sys/stat.h>

/* Modes that a file must not have. */
enum {
    VC_FILE_NOT_WRITTEN_BY_OTHERS = S_IWOTH,
    VC_FILE_OWNERS_ALONE = S_IRWXG | S_IRWXO,
};

/* Read a whole file of at most 16 MiB into the arena; NUL behind it, not counted.
 *
 * what       for messages: "tokens"
 * forbidden  bits of the mode that it must not have
 * about_out  what it was when it was read; NULL: not asked
 *
 * VC_NOT_FOUND, code "missing_file"; VC_BAD_INPUT, codes "file_mode" and "file_too_large";
 * VC_STORAGE, code "file_read". */
vc_status vc_file_read(const char *path, const char *what, mode_t forbidden, vc_arena *arena,
                       vc_str *text_out, struct stat *about_out, vc_error *error);

/* A file of JSON, with its text for the places of errors. */
typedef struct vc_json_file {
    const char *path;
    vc_str text;
    json_t *json;
} vc_json_file;

/* As vc_file_read, and vc_json_parse's errors with the file, line and column. The caller gives
 * `json` back by json_decref; the rest is the arena's. */
vc_status vc_json_file_read(const char *path, const char *what, mode_t forbidden, vc_arena *arena,
                            vc_json_file *file_out, vc_error *error);

/* Give an error that has a pointer its file, line and column. Returns its status. */
vc_status vc_json_file_locate(const vc_json_file *file, vc_error *error);

/* Put a text in a file's place, all or nothing: whoever reads sees the old or the new one, also
 * after a crash. It is its owner's alone (0600); an owner that it had it keeps, where the system
 * lets us, and what root makes is of who has the folder.
 *
 * VC_STORAGE, code "file_write". */
vc_status vc_file_replace(const char *path, vc_str text, vc_error *error);

/* Keep other processes that ask for the same from changing a file until vc_file_unlock: a lock on
 * its folder, so that no file of locks is left. VC_STORAGE, code "file_write". */
vc_status vc_file_lock(const char *path, int *lock_out, vc_error *error);
void vc_file_unlock(int lock);

/* The path that a file at `from` means by `path`: relative to its folder. NULL: out of memory. */
const char *vc_file_beside(const char *from, vc_str path, vc_arena *arena);

#endif
