/* What the store asks of the file system: is it local, how much room, who may load.
 *
 * The data file itself is never opened here: closing a descriptor of it would drop the POSIX locks
 * that LMDB holds on behalf of this process. Paths only.
 * Threads: pure, apart from the files.
 */
#ifndef STORAGE_FILESYSTEM_H
#define STORAGE_FILESYSTEM_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The name of a file system that LMDB must not be used on, by the number that statfs gives; NULL
 * for the others. */
const char *vc_fs_network_name(uint64_t statfs_type);

/* VC_STORAGE, code "network_file_system", when the directory is on such a file system. */
vc_status vc_fs_check_local(const char *directory, vc_error *error);

typedef struct vc_fs_room {
    uint64_t free_bytes; /* for us, not for root */
    uint64_t total_bytes;
} vc_fs_room;

/* False when the file system does not say. */
bool vc_fs_room_of(const char *directory, vc_fs_room *room_out);

/* VC_DISK_FULL, code "disk_full", when less than max(5 %, at most 1 GiB; two batches + 64 MiB) is
 * free, or less than $VCUBE_MIN_FREE_BYTES when that is set. */
vc_status vc_fs_check_room(const char *directory, uint64_t batch_bytes, vc_error *error);

/* Make the directory, mode 0700, unless it exists. */
vc_status vc_fs_make_directory(const char *directory, vc_error *error);

/* Take the lock DIR/vcube.lock, waiting up to wait_ms: VC_BUSY, code "load_in_progress". It
 * excludes threads of this process as well as other processes, and dies with its holder. */
vc_status vc_fs_lock(const char *directory, unsigned wait_ms, int *fd_out, vc_error *error);
void vc_fs_unlock(int fd);

/* Take the pages of a file out of the page tables of this process, wherever it is mapped as shared:
 * they stay in the page cache, and are mapped again when they are next touched. For what met a few
 * bytes of many pages: newer kernels (Linux 6.18) map up to 2 MiB at one fault, and all of it
 * counts as memory of this process. Mappings of the file must not end meanwhile, others may. Where
 * /proc cannot be read nothing happens. Some 50 microseconds. */
void vc_fs_forget_pages(dev_t device, ino_t inode);

/* Make the entries of a directory durable. */
vc_status vc_fs_sync_directory(const char *directory, vc_error *error);

#endif
