/* What the tests of the whole program share: stores of fixtures, ways to ask, JSON that fits.
 *
 * main.c loads every fixture once; each test runs in a process of its own and finds the stores by
 * the environment.
 */
#ifndef TESTS_HOUSE_HOUSE_H
#define TESTS_HOUSE_HOUSE_H

#include "base/buffer.h"
#include "base/status.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { HOUSE_PATH = 1024 };

struct house_folder { /* a parameter of a test: no pointers */
    char name[96];
};

/* ---- files (files.c) ---- */

/* The folders in a folder, in the order of their names. */
struct criterion_test_params house_folders(const char *path);

void house_path(char path[HOUSE_PATH], const char *folder, const char *name);
bool house_exists(const char *path);
void house_read(const char *path, vc_buffer *text);            /* fails the test when it cannot */
json_t *house_read_json(const char *folder, const char *name); /* likewise */
void house_write(const char *path, const char *text, size_t size);
void house_copy_folder(const char *from, const char *to); /* its files, not its folders */
void house_make_folder(char path[HOUSE_PATH]); /* a new one; gone after the run at the latest */
void house_remove_folder(const char *path);

/* ---- stores (fixtures.c) ---- */

/* Load every fixture into a store below `root`; returns false, having said why, when one fails. */
bool house_load_fixtures(const char *root);

/* The store of a fixture: "samples/golden", "tests/data/fixture/orders". */
void house_store(const char *fixture, char path[HOUSE_PATH]);

/* Load definitions, files or folders, through the library. */
vc_status house_load(const char *store, const char *const *paths, size_t npaths, vc_error *error);

/* ---- the command (command.c) ---- */

struct house_run {
    int code; /* exit code; 128 + the signal when one ended it */
    vc_buffer out, complaint;
};

/* The path of the built command; NULL when there is none. */
const char *house_command(void);

/* Run the command. arguments end with NULL; folder and input may be NULL. */
void house_run(const char *const *arguments, const char *folder, const vc_buffer *input,
               struct house_run *run);
void house_run_release(struct house_run *run);

/* ---- asking (library.c, command.c, http.c) ---- */

struct house_reply {
    int code;            /* library: a vc_status; command: exit code; HTTP: status */
    vc_error error;      /* of the library */
    vc_buffer text;      /* the answer; of a failed HTTP request the problem */
    vc_buffer complaint; /* of the command */
};

void house_ask_library(const char *store, const char *body, struct house_reply *reply);
/* Made in pieces of two rows, where it can be. */
void house_ask_pieces(const char *store, const char *body, struct house_reply *reply);
void house_ask_parameters(const char *store, const char *cube, const json_t *parameters,
                          struct house_reply *reply); /* an object of scalars */
void house_ask_command(const char *store, const char *body, struct house_reply *reply);
void house_ask_http(const char *store, const char *body, struct house_reply *reply);
/* Several requests of one server, each on a connection of its own. */
struct house_request {
    const char *target, *body; /* body NULL: GET; otherwise POST of JSON */
};
void house_ask_many(const char *store, const struct house_request *requests, size_t nrequests,
                    struct house_reply *replies);
/* The same of a server that shows no more than these rights: the `cubes` of a role, as JSON. */
void house_ask_as(const char *store, const char *cubes, const struct house_request *requests,
                  size_t nrequests, struct house_reply *replies);
/* All but letters and digits as %XX. */
void house_put_encoded(vc_buffer *out, const char *text);
/* POST /v1/explain. */
void house_explain_http(const char *store, const char *body, struct house_reply *reply);
/* GET /v1/cubes/{cube}/aggregate; parameters is an object of texts. */
void house_get_http(const char *store, const char *cube, const json_t *parameters,
                    struct house_reply *reply);
/* GET /v1/cubes/{cube}/{part}. */
void house_get_part(const char *store, const char *cube, const char *part, const json_t *parameters,
                    struct house_reply *reply);
void house_reply_release(struct house_reply *reply);

/* ---- JSON (fits.c) ---- */

/* Does `actual` fit `expected`? Numbers to a relative 1e-12; objects may have more fields when
 * `is_open`, otherwise only labels (names ending in "_label") may be more. When it does not,
 * `why` tells the path and both values. */
bool house_fits(const json_t *expected, const json_t *actual, bool is_open, vc_buffer *why);

#endif
