/* Copies of a store: whole, consistent and compact, made while it is read and loaded into.
 *
 * A copy shows the epoch that is newest when it begins, and those kept before it. It is written
 * under a temporary name in a folder `.vcube-backup-XXXXXX`, made durable, opened as a store, and
 * only then gets its name; what a killed one left is removed by the next into the same folder.
 * Copying holds one snapshot: pages that loads free meanwhile are reused only afterwards.
 * Threads: any number of copies at once.
 */
#ifndef STORAGE_BACKUP_H
#define STORAGE_BACKUP_H

#include "storage/store.h"

typedef struct vc_backup_options {
    bool force; /* replace a copy that is there */
    /* Called with the copy opened for reading, before it gets its name; a failure removes it. NULL:
     * only what opening a store checks. */
    vc_status (*check)(void *context, vc_store *copy, vc_error *error);
    void *context;
} vc_backup_options;

typedef struct vc_backup_report {
    uint64_t nbytes, epoch;
    char snapshot[48]; /* id of the newest in the copy */
} vc_backup_report;

/* Copy the store to DIRECTORY/vcube.mdb, which is a store then; the directory is made when its
 * parent is there.
 *
 * options  may be NULL
 *
 * VC_CONFLICT, code "backup_exists" (without force), "backup_is_store" (it is the very store);
 * VC_DISK_FULL, code "disk_full"; VC_STORAGE, code "backup_write". On failure what was there stays
 * as it is. With force, nobody may have the older copy open. */
vc_status vc_store_backup(vc_store *store, const char *directory, const vc_backup_options *options,
                          vc_backup_report *report_out, vc_error *error);

/* The same into a file without a name, on the store's file system: to be sent to somebody. *fd_out
 * is open for reading, at the start. */
vc_status vc_store_backup_unnamed(vc_store *store, const vc_backup_options *options, int *fd_out,
                                  vc_backup_report *report_out, vc_error *error);

#endif
