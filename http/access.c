#include "http/access.h"

#include "http/cors.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct vc_admission {
    atomic_uint nusers;
    vc_arena arena;
    vc_roles *roles;
    vc_tokens *tokens;
    const vc_role **role_of;  /* [tokens] NULL: there is no such role */
    atomic_llong *due_ns;     /* [tokens + 1] when the next request would be on time; the last one's
                                 is of those without a token */
    const char *const *hosts; /* [nhosts] */
    size_t nhosts;
    const char *const *origins; /* [norigins] */
    size_t norigins;
};

struct vc_gate {
    pthread_mutex_t lock; /* of `current`, for as long as a count is raised */
    vc_admission *current;
    pthread_mutex_t changes; /* one at a time; of what follows */
    char *tokens_path;       /* NULL: none */
    struct stat about;       /* of that file when it was looked at last */
};

/* ---- admissions ---- */

static size_t count_tokens(const vc_admission *admission)
{
    return admission->tokens != NULL ? vc_tokens_count(admission->tokens) : 0;
}

void vc_admission_release(vc_admission *admission)
{
    if (admission == NULL || atomic_fetch_sub(&admission->nusers, 1) > 1) return;
    vc_tokens_free(admission->tokens);
    vc_roles_release(admission->roles);
    free(admission->role_of);
    free(admission->due_ns);
    vc_arena_release(&admission->arena);
    free(admission);
}

static const char *const *copy_texts(const char *const *texts, size_t count, vc_arena *arena)
{
    const char **copies = VC_ARENA_NEW(arena, const char *, count + 1);
    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = vc_arena_str(arena, vc_str_of(texts[i])).data;
        if (copies[i] == NULL) return NULL;
    }
    return copies;
}

/* A name, without a port: that is not what rebinding changes. */
static vc_status check_host_name(const char *host, vc_error *error)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    size_t size = strlen(host), inside = strspn(host, bytes);
    if (host[0] == '[') inside = 1 + strspn(host + 1, "0123456789abcdefABCDEF:.") + 1;
    bool is_good = size > 0 && size <= 253 && inside == size &&
                   (host[0] == '[' ? host[size - 1] == ']' && size > 2 : true);
    if (is_good) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "bad_host_name",
                   "found the host '%.200s', expected a name or an address without a port, as it "
                   "stands in addresses: cubes.example.org",
                   host);
}

static vc_status take_texts(vc_admission *made, const vc_admission_options *options,
                            vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < options->norigins && status == VC_OK; i++)
        status = vc_cors_check(options->origins[i], error);
    for (size_t i = 0; i < options->nhosts && status == VC_OK; i++)
        status = check_host_name(options->hosts[i], error);
    if (status != VC_OK) return status;
    made->hosts = copy_texts(options->hosts, options->nhosts, &made->arena);
    made->origins = copy_texts(options->origins, options->norigins, &made->arena);
    if (made->hosts == NULL || made->origins == NULL) return vc_no_memory(error);
    made->nhosts = options->nhosts;
    made->norigins = options->norigins;
    return VC_OK;
}

/* What a token has used of its rate stays used when others come or go. */
static void take_rates(vc_admission *made, vc_admission *before)
{
    size_t count = count_tokens(made), nbefore = before != NULL ? count_tokens(before) : 0;
    if (before != NULL) made->due_ns[count] = atomic_load(&before->due_ns[nbefore]);
    for (size_t i = 0, b = 0; i < count && b < nbefore;) { /* both by id */
        int order = strcmp(vc_tokens_at(made->tokens, i)->id, vc_tokens_at(before->tokens, b)->id);
        if (order == 0) made->due_ns[i] = atomic_load(&before->due_ns[b]);
        i += order <= 0;
        b += order >= 0;
    }
}

static vc_status make_admission(const vc_admission_options *options, vc_admission *before,
                                vc_admission **made_out, vc_error *error)
{
    vc_admission *made = calloc(1, sizeof *made);
    if (made == NULL) return vc_no_memory(error);
    atomic_init(&made->nusers, 1);
    made->roles = vc_roles_share(options->roles);
    vc_status status = take_texts(made, options, error);
    if (status == VC_OK && options->tokens_path != NULL)
        status = vc_tokens_open(options->tokens_path, &made->tokens, error);
    size_t count = count_tokens(made);
    if (status == VC_OK) {
        made->role_of = calloc(count + 1, sizeof *made->role_of);
        made->due_ns = calloc(count + 1, sizeof *made->due_ns);
        if (made->role_of == NULL || made->due_ns == NULL) status = vc_no_memory(error);
    }
    if (status != VC_OK) {
        vc_admission_release(made);
        return status;
    }
    for (size_t i = 0; i < count && made->roles != NULL; i++)
        made->role_of[i] = vc_roles_find(made->roles, vc_tokens_at(made->tokens, i)->role);
    take_rates(made, before);
    *made_out = made;
    return VC_OK;
}

size_t vc_admission_ntokens(const vc_admission *admission)
{
    return count_tokens(admission);
}

bool vc_admission_is_on(const vc_admission *admission)
{
    return admission->roles != NULL;
}

const char *const *vc_admission_origins(const vc_admission *admission, size_t *norigins_out)
{
    *norigins_out = admission->norigins;
    return admission->origins;
}

const char *const *vc_admission_hosts(const vc_admission *admission, size_t *nhosts_out)
{
    *nhosts_out = admission->nhosts;
    return admission->hosts;
}

const char *vc_admission_stray(const vc_admission *admission, size_t *count_out)
{
    const char *first = NULL;
    *count_out = 0;
    for (size_t i = 0; i < count_tokens(admission); i++) {
        if (admission->role_of[i] != NULL) continue;
        if ((*count_out)++ == 0) first = vc_tokens_at(admission->tokens, i)->id;
    }
    return first;
}

/* ---- checks ---- */

/* The words behind "Bearer"; all of it for clients of Cube, which send the token alone. */
static vc_str read_bearer(vc_str header, bool is_cube)
{
    static const char scheme[] = "Bearer";
    size_t size = sizeof scheme - 1;
    if (header.size > size && strncasecmp(header.data, scheme, size) == 0 &&
        header.data[size] == ' ')
        return vc_str_trim((vc_str){header.data + size, header.size - size});
    return is_cube ? header : (vc_str){0};
}

/* A token bucket as one number, which is when the bucket would be full ("virtual scheduling",
 * ITU-T I.371). True when the request is on time. */
static bool take_turn(atomic_llong *due_ns, const vc_role *role, int64_t now_ns, unsigned *wait_s)
{
    if (role->per_second <= 0) return true;
    const long long step_ns = (long long)(1e9 / role->per_second);
    const long long ahead_ns = (long long)((role->burst - 1) * 1e9 / role->per_second);
    long long due = atomic_load(due_ns), from;
    do {
        from = due > now_ns ? due : now_ns;
        if (from - now_ns > ahead_ns) {
            *wait_s = (unsigned)((from - now_ns - ahead_ns + 999999999) / 1000000000);
            return false;
        }
    } while (!atomic_compare_exchange_weak(due_ns, &due, from + step_ns));
    return true;
}

/* Its role is NULL when the request is refused. */
static void find_caller(const vc_admission *admission, const vc_request *request, bool is_cube,
                        int64_t now_s, size_t *number_out, vc_caller *caller_out)
{
    size_t count = count_tokens(admission);
    *caller_out = (vc_caller){.token_id = ""};
    *number_out = count;
    if (vc_str_is_null(request->authorization)) {
        caller_out->role = vc_roles_anonymous(admission->roles);
        return;
    }
    int number =
        vc_tokens_check(admission->tokens, read_bearer(request->authorization, is_cube), now_s);
    if (number == VC_TOKEN_NONE) return;
    *number_out = (size_t)number;
    caller_out->role = admission->role_of[number];
    caller_out->token_id = vc_tokens_at(admission->tokens, (size_t)number)->id;
}

vc_status vc_admission_check(vc_admission *admission, const vc_request *request, bool is_cube,
                             int64_t now_s, int64_t now_ns, vc_caller *caller_out,
                             unsigned *wait_s_out, vc_error *error)
{
    size_t number;
    if (admission->roles == NULL) {
        *caller_out = (vc_caller){.role = &vc_role_everyone, .token_id = ""};
        return VC_OK;
    }
    find_caller(admission, request, is_cube, now_s, &number, caller_out);
    if (caller_out->role == NULL) {
        *caller_out = (vc_caller){.role = &vc_role_nobody, .token_id = ""};
        return vc_fail(error, VC_IMPOSSIBLE, "unauthorized",
                       "this needs a token that holds: Authorization: Bearer vct_...");
    }
    if (take_turn(&admission->due_ns[number], caller_out->role, now_ns, wait_s_out)) return VC_OK;
    return vc_fail(error, VC_BUSY, "rate_limited",
                   "more requests than this token may send: %g a second, %g at once",
                   caller_out->role->per_second, caller_out->role->burst);
}

vc_status vc_access_check_parameters(const vc_request *request, vc_error *error)
{
    static const char *const names[] = {"token",   "access_token", "auth_token",    "bearer_token",
                                        "api_key", "apikey",       "authorization", "bearer"};
    for (size_t p = 0; p < request->nparameters; p++)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            vc_str name = request->parameters[p].name;
            if (name.size != strlen(names[i]) || strncasecmp(name.data, names[i], name.size) != 0)
                continue;
            vc_fail(error, VC_BAD_INPUT, "token_in_url",
                    "a token does not belong into an address, which logs and histories keep: send "
                    "it as 'Authorization: Bearer vct_...', and revoke the one that was sent so");
            vc_error_at_pointer(error, "%s", names[i]);
            return VC_BAD_INPUT;
        }
    return VC_OK;
}

vc_status vc_access_check_options(const vc_admission_options *options, vc_error *error)
{
    if (options->roles == NULL && options->tokens_path != NULL)
        return vc_fail(error, VC_BAD_INPUT, "nobody_let_in",
                       "tokens are of roles, and there are none: see docs/security.md");
    if (options->roles == NULL || options->tokens_path != NULL ||
        vc_roles_anonymous(options->roles) != NULL)
        return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "nobody_let_in",
                   "there are roles, but neither tokens nor an \"anonymous\" one: nobody could "
                   "ask anything");
}

/* ---- the gate ---- */

vc_admission *vc_gate_admission(vc_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    vc_admission *admission = gate->current;
    atomic_fetch_add(&admission->nusers, 1);
    pthread_mutex_unlock(&gate->lock);
    return admission;
}

vc_status vc_gate_new(const vc_admission_options *options, vc_gate **gate_out, vc_error *error)
{
    vc_gate *gate = calloc(1, sizeof *gate);
    if (gate == NULL) return vc_no_memory(error);
    pthread_mutex_init(&gate->lock, NULL);
    pthread_mutex_init(&gate->changes, NULL);
    vc_status status = vc_gate_set(gate, options, error);
    if (status == VC_OK)
        *gate_out = gate;
    else
        vc_gate_free(gate);
    return status;
}

void vc_gate_free(vc_gate *gate)
{
    if (gate == NULL) return;
    vc_admission_release(gate->current);
    pthread_mutex_destroy(&gate->lock);
    pthread_mutex_destroy(&gate->changes);
    free(gate->tokens_path);
    free(gate);
}

static void put_in_force(vc_gate *gate, vc_admission *made)
{
    pthread_mutex_lock(&gate->lock);
    vc_admission *before = gate->current;
    gate->current = made;
    pthread_mutex_unlock(&gate->lock);
    vc_admission_release(before);
}

static struct stat look_at(const char *path)
{
    struct stat about = {0};
    if (path == NULL || stat(path, &about) != 0) return (struct stat){0};
    return about;
}

vc_status vc_gate_set(vc_gate *gate, const vc_admission_options *options, vc_error *error)
{
    vc_admission *made;
    char *path = options->tokens_path != NULL ? strdup(options->tokens_path) : NULL;
    if (path == NULL && options->tokens_path != NULL) return vc_no_memory(error);
    pthread_mutex_lock(&gate->changes);
    struct stat about = look_at(path); /* before it is read: what changes meanwhile is seen later */
    vc_status status = make_admission(options, gate->current, &made, error);
    if (status == VC_OK) {
        free(gate->tokens_path);
        gate->tokens_path = path;
        gate->about = about;
        put_in_force(gate, made);
    } else {
        free(path);
    }
    pthread_mutex_unlock(&gate->changes);
    return status;
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_ino == other->st_ino && one->st_size == other->st_size &&
           one->st_mode == other->st_mode && one->st_uid == other->st_uid &&
           one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
           one->st_mtim.tv_nsec == other->st_mtim.tv_nsec &&
           one->st_ctim.tv_sec == other->st_ctim.tv_sec &&
           one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

vc_status vc_gate_look(vc_gate *gate, bool *is_changed_out, vc_error *error)
{
    vc_status status = VC_OK;
    pthread_mutex_lock(&gate->changes);
    struct stat about = look_at(gate->tokens_path);
    *is_changed_out = !is_same_file(&about, &gate->about);
    if (*is_changed_out) {
        vc_admission *made, *current = gate->current; /* only changed under `changes` */
        const vc_admission_options options = {.roles = current->roles,
                                              .tokens_path = gate->tokens_path,
                                              .hosts = current->hosts,
                                              .nhosts = current->nhosts,
                                              .origins = current->origins,
                                              .norigins = current->norigins};
        gate->about = about;
        status = make_admission(&options, current, &made, error);
        if (status == VC_OK) put_in_force(gate, made);
    }
    pthread_mutex_unlock(&gate->changes);
    return status;
}
