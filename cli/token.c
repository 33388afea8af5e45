/* token: make, list and revoke the tokens of a server. */
#include "base/json_writer.h"
#include "base/nearest.h"
#include "cli/cli.h"
#include "http/config.h"
#include "http/tokens.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- what is asked for ---- */

static vc_status fail_usage(vc_error *error, const char *sentence)
{
    return vc_fail(error, VC_BAD_INPUT, "usage", "%s", sentence);
}

/* Where the tokens are, and the roles that they may be of. */
typedef struct vc_token_place {
    vc_config config; /* of the server; all zero when it was not named */
    const char *path; /* of the tokens */
} vc_token_place;

static vc_status find_place(const vc_arguments *arguments, vc_token_place *place, vc_error *error)
{
    const char *config = vc_arguments_get(arguments, "config");
    *place = (vc_token_place){0};
    vc_status status = config != NULL ? vc_config_read(config, &place->config, error) : VC_OK;
    if (status != VC_OK) return status;
    place->path = vc_arguments_get(arguments, "tokens");
    if (place->path == NULL) place->path = place->config.tokens;
    if (place->path == NULL) place->path = getenv("VCUBE_TOKENS");
    if (place->path != NULL && *place->path != '\0') return VC_OK;
    return fail_usage(error, config != NULL
                                 ? "the configuration names no file of tokens: \"tokens\""
                                 : "which file of tokens? Give --config FILE of the server, "
                                   "--tokens FILE, or set $VCUBE_TOKENS");
}

/* Of a role that there is, as far as is known. */
static vc_status check_role(const vc_token_place *place, vc_str role, vc_error *error)
{
    vc_roles *roles;
    const vc_role *found;
    vc_status status = vc_config_roles(&place->config, &roles, error);
    if (status == VC_OK && roles != NULL) status = vc_roles_get(roles, role, &found, error);
    vc_roles_release(roles);
    return status;
}

/* "90d": hours, days, weeks or years from now on, at most 100 years. */
static vc_status read_span(const char *text, int64_t now_s, int64_t *expires_s_out, vc_error *error)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'h', 3600}, {'d', 86400}, {'w', 7 * 86400}, {'y', 365 * 86400}};
    const int64_t longest_s = INT64_C(100) * 365 * 86400;
    int64_t number;
    size_t size = strlen(text);
    vc_str digits = {text, size > 0 ? size - 1 : 0};
    for (size_t i = 0; size > 1 && i < sizeof units / sizeof units[0]; i++) {
        if (text[size - 1] != units[i].unit) continue;
        if (vc_parse_int(digits, &number) != VC_PARSE_OK || number < 1 ||
            number > longest_s / units[i].seconds)
            break;
        *expires_s_out = now_s + number * units[i].seconds;
        return VC_OK;
    }
    return vc_fail(error, VC_BAD_INPUT, "usage",
                   "--expires takes hours, days, weeks or years, such as 12h, 90d, 4w or 1y, not "
                   "'%s'",
                   text);
}

/* ---- create ---- */

static void print_made(const vc_arguments *arguments, const vc_token_wish *wish, const char *token)
{
    char expires[VC_TIME_TEXT] = "never";
    vc_str id = {token + sizeof VC_TOKEN_PREFIX - 1, VC_TOKEN_ID_SIZE};
    if (wish->expires_s != 0) vc_time_format(wish->expires_s, expires);
    if (vc_arguments_get(arguments, "json") != NULL) {
        vc_buffer line = {0};
        vc_json_writer json = {.out = &line};
        vc_json_begin(&json, NULL, '{');
        vc_json_put_str(&json, "id", id);
        vc_json_put_str(&json, "name", wish->name);
        vc_json_put_str(&json, "role", wish->role);
        vc_json_put_str(&json, "expires", wish->expires_s != 0 ? vc_str_of(expires) : (vc_str){0});
        vc_json_put_text(&json, "token", token);
        vc_json_end(&json, '}');
        puts(vc_buffer_text(&line));
        vc_buffer_release(&line);
        return;
    }
    puts(token);
    vc_cli_say("token %.*s: %.*s, of the role %.*s, expires: %s", VC_FMT(id), VC_FMT(wish->name),
               VC_FMT(wish->role), expires);
    vc_cli_say("This is the only time that it is shown. Requests send it so:");
    vc_cli_say("  Authorization: Bearer vct_%.*s_...", VC_FMT(id));
}

static vc_status create(const vc_arguments *arguments, const vc_token_place *place, vc_error *error)
{
    char token[VC_TOKEN_SIZE + 1];
    const char *expires = vc_arguments_get(arguments, "expires");
    vc_token_wish wish = {.name = vc_str_of(vc_arguments_get(arguments, "name")),
                          .role = vc_str_of(vc_arguments_get(arguments, "role")),
                          .now_s = (int64_t)time(NULL)};
    if (vc_str_is_null(wish.name) || vc_str_is_null(wish.role))
        return fail_usage(error, "create needs a role and a name: vcube token create --role ROLE "
                                 "--name NAME");
    vc_status status = VC_OK;
    if (expires != NULL && strcmp(expires, "never") != 0)
        status = read_span(expires, wish.now_s, &wish.expires_s, error);
    if (status == VC_OK) status = check_role(place, wish.role, error);
    if (status == VC_OK) status = vc_tokens_create(place->path, &wish, token, error);
    if (status == VC_OK) print_made(arguments, &wish, token);
    return status;
}

/* ---- list ---- */

static const char *state_of(const vc_token *token, int64_t now_s)
{
    if (token->revoked_s != 0) return "revoked";
    return token->expires_s != 0 && token->expires_s <= now_s ? "expired" : "valid";
}

static vc_str time_of(vc_arena *arena, int64_t seconds)
{
    char text[VC_TIME_TEXT];
    if (seconds == 0) return (vc_str){0};
    vc_time_format(seconds, text);
    return vc_arena_str(arena, vc_str_of(text));
}

static void print_json(const vc_tokens *tokens, vc_arena *arena, int64_t now_s)
{
    vc_buffer text = {0};
    vc_json_writer json = {.out = &text};
    vc_json_begin(&json, NULL, '{');
    vc_json_begin(&json, "tokens", '[');
    for (size_t i = 0; i < vc_tokens_count(tokens); i++) {
        const vc_token *token = vc_tokens_at(tokens, i);
        vc_json_begin(&json, NULL, '{');
        vc_json_put_text(&json, "id", token->id);
        vc_json_put_str(&json, "name", token->name);
        vc_json_put_str(&json, "role", token->role);
        vc_json_put_str(&json, "created", time_of(arena, token->created_s));
        vc_json_put_str(&json, "expires", time_of(arena, token->expires_s));
        vc_json_put_str(&json, "revoked", time_of(arena, token->revoked_s));
        vc_json_put_text(&json, "state", state_of(token, now_s));
        vc_json_end(&json, '}');
    }
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
    puts(vc_buffer_text(&text));
    vc_buffer_release(&text);
}

static vc_str or_never(vc_str text)
{
    return vc_str_is_null(text) ? VC_STR("never") : text;
}

static vc_status print_table(const vc_tokens *tokens, vc_arena *arena, int64_t now_s,
                             vc_error *error)
{
    enum { NCOLUMNS = 6 };
    static const char *const titles[NCOLUMNS] = {"id",      "name",    "role",
                                                 "created", "expires", "state"};
    static const bool is_right[NCOLUMNS] = {false};
    size_t count = vc_tokens_count(tokens);
    vc_str *texts = VC_ARENA_NEW(arena, vc_str, (count + 1) * NCOLUMNS);
    if (texts == NULL) return vc_no_memory(error);
    for (size_t column = 0; column < NCOLUMNS; column++)
        texts[column] = vc_str_of(titles[column]);
    for (size_t i = 0; i < count; i++) {
        const vc_token *token = vc_tokens_at(tokens, i);
        vc_str *row = &texts[(i + 1) * NCOLUMNS];
        row[0] = vc_str_of(token->id);
        row[1] = token->name;
        row[2] = token->role;
        row[3] = or_never(time_of(arena, token->created_s));
        row[4] = or_never(time_of(arena, token->expires_s));
        row[5] = vc_str_of(state_of(token, now_s));
    }
    vc_cli_table(texts, count + 1, NCOLUMNS, is_right);
    return VC_OK;
}

static vc_status list(const vc_arguments *arguments, const vc_token_place *place, vc_error *error)
{
    vc_tokens *tokens;
    vc_arena arena = {0};
    int64_t now_s = (int64_t)time(NULL);
    vc_status status = vc_tokens_open(place->path, &tokens, error);
    if (status != VC_OK) return status;
    if (vc_arguments_get(arguments, "json") != NULL)
        print_json(tokens, &arena, now_s);
    else
        status = print_table(tokens, &arena, now_s, error);
    vc_arena_release(&arena);
    vc_tokens_free(tokens);
    return status;
}

/* ---- revoke ---- */

/* The id, alone or in the token that it stands in. */
static vc_str read_id(const char *text)
{
    vc_str id = vc_str_of(text);
    if (!vc_str_starts_with(id, VC_STR(VC_TOKEN_PREFIX))) return id;
    id = (vc_str){id.data + sizeof VC_TOKEN_PREFIX - 1, id.size - (sizeof VC_TOKEN_PREFIX - 1)};
    if (id.size > VC_TOKEN_ID_SIZE) id.size = VC_TOKEN_ID_SIZE;
    return id;
}

static vc_status revoke(const vc_arguments *arguments, const vc_token_place *place, vc_error *error)
{
    if (arguments->noperands < 2)
        return fail_usage(error, "revoke needs the id of a token: vcube token revoke ID; vcube "
                                 "token list shows them");
    vc_str id = read_id(arguments->operands[1]);
    vc_status status = vc_tokens_revoke(place->path, id, (int64_t)time(NULL), error);
    if (status != VC_OK) return status;
    if (vc_arguments_get(arguments, "json") != NULL)
        printf("{\"id\":\"%.*s\",\"state\":\"revoked\"}\n", VC_FMT(id));
    else
        vc_cli_say("token %.*s is revoked; a server that runs knows within a second", VC_FMT(id));
    return VC_OK;
}

/* ---- the command ---- */

static const struct {
    const char *name;
    size_t noperands;
    vc_status (*run)(const vc_arguments *arguments, const vc_token_place *place, vc_error *error);
} actions[] = {{"create", 1, create}, {"list", 1, list}, {"revoke", 2, revoke}};

enum { NACTIONS = sizeof actions / sizeof actions[0] };

static vc_status fail_action(const char *word, vc_error *error)
{
    vc_nearest nearest;
    vc_fail(error, VC_BAD_INPUT, "usage", "token has no '%s'; there are create, list and revoke",
            word);
    vc_nearest_init(&nearest, vc_str_of(word));
    for (size_t i = 0; i < NACTIONS; i++)
        vc_nearest_offer(&nearest, vc_str_of(actions[i].name));
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

static int run_token(const vc_arguments *arguments)
{
    vc_token_place place;
    vc_error error = {0};
    const char *word = arguments->operands[0];
    size_t i = 0;
    while (i < NACTIONS && strcmp(word, actions[i].name) != 0)
        i++;
    vc_status status = VC_OK;
    if (i == NACTIONS)
        status = fail_action(word, &error);
    else if (arguments->noperands > actions[i].noperands)
        status =
            vc_fail(&error, VC_BAD_INPUT, "usage", "token %s does not know what to do with '%s'",
                    word, arguments->operands[actions[i].noperands]);
    if (status != VC_OK) return vc_cli_fail(&error);
    status = find_place(arguments, &place, &error);
    if (status == VC_OK) status = actions[i].run(arguments, &place, &error);
    vc_config_release(&place.config);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option token_options[] = {
    {"config", 0, "FILE", "configuration of the server, which names the file of tokens"},
    {"tokens", 0, "FILE", "file of the tokens (or set $VCUBE_TOKENS)"},
    {"role", 0, "ROLE", "create: what the token may do and see, as the server's roles say"},
    {"name", 0, "NAME", "create: what the token is for, to know it again"},
    {"expires", 0, "SPAN", "create: when it ends: 12h, 90d, 4w, 1y, never (the default)"},
    VC_OPTION_JSON,
    VC_OPTION_END};

const vc_command vc_command_token = {
    .name = "token",
    .operands = "create|list|revoke [ID]",
    .summary = "make, list and revoke tokens of a server",
    .help = "A token is shown once, when it is made, and is stored as a hash. A server that runs\n"
            "sees what changes within a second. Run this as who runs the server: the file is\n"
            "its owner's alone (mode 0600).\n\n"
            "Examples:\n"
            "  vcube token create --config /etc/vcube/vcube.json --role france --name reports\n"
            "  vcube token create --tokens tokens.json --role france --name dashboards "
            "--expires 90d\n"
            "  vcube token list --tokens tokens.json\n"
            "  vcube token revoke --tokens tokens.json 0123456789abcdef\n"
            "  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/v1/cubes",
    .options = token_options,
    .min_operands = 1,
    .max_operands = 2,
    .run = run_token,
};
