/* The folder that a run writes into: each file appears whole under its name, or not at all.
 *
 *     create   ".vcube-report-<number>.tmp" in the folder of the file, which is made
 *     (write)  hashed on the way
 *     finish   fsync, rename; what had the name is there until that moment
 *     sync     once at the end: fsync of every folder in which a name changed
 *
 * A process that is killed leaves temporaries, which vc_folder_clean removes, and finished files.
 * A machine that loses power may lose names that sync had not reached, never a file's second half.
 * fsync of a file of 60 kB is 0.4 ms on an SSD with ext4 (2400 a second by one thread): less than a
 * tenth of what making it takes, and other threads go on meanwhile. syncfs for many files at once
 * would be three times as fast, but waits for whatever else is written to that disk, such as a load
 * into the store.
 *
 * Names are relative, with '/', and never leave the folder: links on the way to a file are refused
 * (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; on kernels without it, part by part), and
 * a link, a folder or a device in the place of a file is neither followed nor replaced.
 *
 * Errors: VC_DISK_FULL "disk_full"; VC_STORAGE "output", with the path.
 * Threads: any number at once, each with files of its own.
 */
#ifndef REPORT_FOLDER_H
#define REPORT_FOLDER_H

#include "base/arena.h"
#include "base/list.h"
#include "render/render.h"

#include <sodium.h>
#include <stdint.h>

typedef struct vc_folder vc_folder;

/* Open a folder.
 *
 * to_write  make it, and those above it, when they are not there, and have it alone: VC_BUSY,
 * "output", while another process or thread writes into it
 *
 * VC_NOT_FOUND, "missing_file", when it is not there. */
vc_status vc_folder_open(const char *path, bool to_write, vc_folder **folder_out, vc_error *error);
void vc_folder_close(vc_folder *folder); /* NULL is fine */
const char *vc_folder_path(const vc_folder *folder);

/* As on a kernel without openat2, for tests. */
void vc_folder_go_part_by_part(vc_folder *folder);

/* Is it the name of a file below a folder: parts of 1 to 255 bytes, none "." or ".." or beginning
 * with a dot, without control characters and backslashes? Names from manifests are tried by it. */
bool vc_folder_is_name(vc_str name);

enum {
    VC_FOLDER_SUM = 64, /* hex digits of a SHA-256 */
    VC_FOLDER_PATH = 96
};

typedef struct vc_folder_file {   /* being written; all zero: none */
    vc_folder *folder;            /* NULL: nowhere, hashed only */
    int directory, fd;            /* -1: none */
    char temporary[48];           /* in `directory`; "": there is none */
    vc_str name;                  /* borrowed */
    crypto_hash_sha256_state sum; /* of what the sink was given */
    uint64_t nbytes;
} vc_folder_file;

/* Begin a file; its name as a whole is borrowed until it is finished or dropped.
 * folder  NULL: the file is nowhere, only its sum is made, and finish does nothing */
vc_status vc_folder_create(vc_folder *folder, vc_str name, vc_folder_file *file_out,
                           vc_error *error);
vc_render_sink vc_folder_sink(vc_folder_file *file);

/* A path by which the file can be written to instead of through the sink; then call _reread, which
 * makes its sum. */
void vc_folder_file_path(vc_folder_file *file, char path[VC_FOLDER_PATH]);
vc_status vc_folder_reread(vc_folder_file *file, vc_error *error);

/* The sum of what was written. Once. */
void vc_folder_file_sum(vc_folder_file *file, char sum_out[VC_FOLDER_SUM + 1]);

vc_status vc_folder_sync_file(vc_folder_file *file, vc_error *error); /* its bytes are durable */
vc_status vc_folder_rename(vc_folder_file *file, vc_error *error);    /* it has its name */

/* Give up what has no name yet, and what the file holds in any case. All zero is fine. */
void vc_folder_drop(vc_folder_file *file);

/* Make durable every name that changed since the folder was opened. */
vc_status vc_folder_sync(vc_folder *folder, vc_error *error);

/* Remove temporaries of runs that were killed from the folder of a file. */
vc_status vc_folder_clean(vc_folder *folder, vc_str name, vc_error *error);

/* A file that is there: its size and sum. VC_NOT_FOUND, "missing_file", when there is none;
 * VC_STORAGE when it is no plain file. */
vc_status vc_folder_sum(vc_folder *folder, vc_str name, uint64_t *nbytes_out,
                        char sum_out[VC_FOLDER_SUM + 1], vc_error *error);

/* A file whole, of at most max_bytes: VC_LIMIT, "file_too_large", if it is larger. */
vc_status vc_folder_read(vc_folder *folder, vc_str name, size_t max_bytes, vc_buffer *text,
                         vc_error *error);

/* Open a file of the folder, as open(2) does; -1 and errno. */
int vc_folder_open_file(vc_folder *folder, vc_str name, int flags);

#endif
